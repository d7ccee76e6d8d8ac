import { html, nothing, type TemplateResult } from "lit";
import { moment, number } from "../../shared/text.js";
import type { Definition } from "./definitions.js";
import type { Field, Pair } from "./draft.js";
import type { Past } from "./past.js";
import type { People } from "./people.js";

/** What a field is drawn with. */
export interface FieldSetting {
  /** undefined: names have to be typed. */
  readonly definitions: readonly Definition[] | undefined;
  readonly past: readonly Past[];
  readonly people: People;
  readonly value: (name: string) => string;
  readonly wrong: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
  /** Somebody types who. */
  readonly seek: (text: string) => void;
}

export const idOf = (name: string): string => `log-${name.replace(/[^\w-]/g, "_")}`;

/** A field with its label, its hint, and what is wrong with it beside it. */
export function fieldView(field: Field, setting: FieldSetting): TemplateResult {
  const id = idOf(field.name);
  const wrong = setting.wrong(field.name);
  const described = [wrong ? `${id}-wrong` : "", field.hint ? `${id}-hint` : ""].filter(Boolean).join(" ") || nothing;
  return html`
    <div class="field">
      <label for=${id}>${field.label}</label>
      ${control(field, id, described, wrong !== undefined, setting)}
      ${field.hint ? html`<span class="hint small" id="${id}-hint">${field.hint}</span>` : nothing}
      ${wrong ? html`<span class="wrong" id="${id}-wrong" role="alert">${wrong}</span>` : nothing}
    </div>`;
}

function control(field: Field, id: string, described: string | typeof nothing, bad: boolean, setting: FieldSetting): TemplateResult {
  const { name, type } = field;
  const value = setting.value(name);
  const invalid = bad ? "true" : "false";
  const input = (more: { type?: string; mode?: string; list?: string; seek?: boolean }) => html`
    <input id=${id} name=${name} type=${more.type ?? "text"} inputmode=${more.mode ?? nothing} list=${more.list ?? nothing} step=${type === "time" ? "1" : nothing} autocomplete="off" spellcheck="false"
      .value=${value} aria-invalid=${invalid} aria-describedby=${described}
      @input=${(e: Event) => {
        const text = (e.target as HTMLInputElement).value;
        setting.set(name, text);
        if (more.seek) setting.seek(text);
      }}>`;
  const select = (options: readonly (readonly [string, string])[]) => html`
    <select id=${id} name=${name} aria-invalid=${invalid} aria-describedby=${described} @change=${(e: Event) => setting.set(name, (e.target as HTMLSelectElement).value)}>
      ${options.map(([v, label]) => html`<option value=${v} ?selected=${v === value}>${label}</option>`)}</select>`;
  switch (type) {
    case "definition":
      return setting.definitions?.length ? select(setting.definitions.map((d) => [d.id, d.name === d.id ? d.id : `${d.name} (${d.id})`])) : input({});
    case "choice":
      return select([["", "Not given"], ["true", "Yes"], ["false", "No"]]);
    case "number":
    case "integer":
      return input({ mode: type === "number" ? "decimal" : "numeric" });
    case "time":
      return input({ type: "datetime-local" });
    case "person":
      return html`${input({ list: `${id}-list`, seek: true })}
        <datalist id="${id}-list">${setting.people.found.map((u) => html`<option value=${u.id}>${u.profile?.name ?? ""}</option>`)}</datalist>`;
    case "past":
      return html`${input({ list: `${id}-list` })}
        <datalist id="${id}-list">${setting.past.map((p) => html`<option value=${p.id}>${pastName(p)}</option>`)}</datalist>
        <span class="hint small">${pastHint(setting.past, value)}</span>`;
    default:
      return input({});
  }
}

const pastName = ({ at, left }: Past): string => `${moment(at)}${left === undefined ? "" : `, ${number(left)} left`}`;

function pastHint(past: readonly Past[], value: string): string {
  const chosen = past.find(({ id }) => id === value);
  if (chosen) return pastName(chosen);
  return past.length === 0 ? "None is known; an id may be typed." : "The id of the activity.";
}

/** Members of metadata that nobody declared: name, type and value, and one more where wanted. */
export function pairsView(pairs: readonly Pair[], wrong: (name: string) => string | undefined, set: (pairs: readonly Pair[]) => void): TemplateResult {
  const change = (i: number, to: Partial<Pair>) => set(pairs.map((pair, at) => (at === i ? { ...pair, ...to } : pair)));
  return html`
    <fieldset class="pairs">
      <legend>Metadata</legend>
      ${pairs.map(({ key, type, value }, i) => {
        const bad = wrong(`pair.${i}`);
        const described = bad ? `log-pair-${i}-wrong` : nothing;
        return html`
          <div class="pair">
            <input aria-label="Name of member ${i + 1}" placeholder="Name" autocomplete="off" spellcheck="false" .value=${key} aria-invalid=${bad ? "true" : "false"} aria-describedby=${described} @input=${(e: Event) => change(i, { key: (e.target as HTMLInputElement).value })}>
            <select aria-label="Type of member ${i + 1}" @change=${(e: Event) => change(i, { type: (e.target as HTMLSelectElement).value as Pair["type"], value: "" })}>
              ${([["text", "Text"], ["number", "Number"], ["choice", "Yes or no"]] as const).map(([v, label]) => html`<option value=${v} ?selected=${v === type}>${label}</option>`)}</select>
            ${type === "choice"
              ? html`<select aria-label="Value of member ${i + 1}" @change=${(e: Event) => change(i, { value: (e.target as HTMLSelectElement).value })}>
                  ${([["", "Choose"], ["true", "Yes"], ["false", "No"]] as const).map(([v, label]) => html`<option value=${v} ?selected=${v === value}>${label}</option>`)}</select>`
              : html`<input aria-label="Value of member ${i + 1}" placeholder="Value" autocomplete="off" spellcheck="false" inputmode=${type === "number" ? "decimal" : "text"} .value=${value} aria-invalid=${bad ? "true" : "false"} aria-describedby=${described} @input=${(e: Event) => change(i, { value: (e.target as HTMLInputElement).value })}>`}
            <button type="button" class="plain" aria-label="Remove member ${i + 1}" @click=${() => set(pairs.filter((_, at) => at !== i))}>✕</button>
            ${bad ? html`<span class="wrong" id="log-pair-${i}-wrong" role="alert">${bad}</span>` : nothing}
          </div>`;
      })}
      <div><button type="button" class="plain" @click=${() => set([...pairs, { key: "", type: "text", value: "" }])}>+ Add a member</button></div>
    </fieldset>`;
}
