import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { Session } from "../../shared/session.js";
import { changeOf, fieldOf, formOf, tagsOf, texts, typesOf, type FieldType, type Form } from "./edit-fields.js";
import type { Person } from "./tab.js";

/** Changes what is known of a user, in a dialog. It tells with `person` how the user is then. */
export class EditUser extends LitElement {
  static override properties = { session: { attribute: false }, person: { attribute: false }, form: { state: true }, types: { state: true }, problem: { state: true }, busy: { state: true } };
  declare session: Session;
  declare person: Person | undefined;
  declare form: Form | undefined;
  declare types: Readonly<Record<string, FieldType>>;
  declare problem: Problem | undefined;
  declare busy: boolean;
  #before: Form = {};
  #opener: Element | null = null;

  constructor() {
    super();
    this.types = {};
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  open(): void {
    if (!this.person || this.form) return;
    this.#opener = document.activeElement;
    this.problem = undefined;
    this.form = this.#before = formOf(this.person, this.types);
    void this.#declared();
  }

  // Which custom fields there are is the catalog's. Who may not read it edits those that the user has.
  async #declared(): Promise<void> {
    try {
      const types = typesOf(await this.session.rest.get("/v1/catalog", {}));
      const typed = this.form;
      if (!typed || !this.person) return;
      this.types = types;
      this.#before = formOf(this.person, types);
      this.form = { ...this.#before, ...typed };
    } catch (err) {
      if (!(err instanceof Problem && err.status === 403)) this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
    }
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const change = changeOf(this.#before, this.form!, this.types);
    if (!change) return this.#leave();
    this.busy = true;
    try {
      const person = await this.session.rest.patch("/v1/users/{user}", { path: { user: this.person!.id }, body: change });
      this.dispatchEvent(new CustomEvent("person", { detail: person, bubbles: true }));
      this.#leave();
    } catch (err) {
      this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
      const field = fieldOf(this.problem, this.form!);
      void this.updateComplete.then(() => field && this.querySelector<HTMLElement>(`#${CSS.escape(`edit-${field}`)}`)?.focus());
    }
    this.busy = false;
  }

  #leave(): void {
    this.form = undefined;
    (this.#opener as HTMLElement | null)?.focus?.();
  }

  #set(name: string, text: string): void {
    this.form = { ...this.form, [name]: text };
  }

  #addAttribute(): void {
    const [name, value] = [this.querySelector<HTMLInputElement>("#edit-attributes")!, this.querySelector<HTMLInputElement>("#new-value")!];
    if (!name.value.trim()) return name.focus();
    this.#set(`attributes.${name.value.trim()}`, value.value);
    name.value = value.value = "";
    name.focus();
  }

  protected override render() {
    const { form, problem } = this;
    if (!form) return nothing;
    const elsewhere = problem && !fieldOf(problem, form) && problem.field !== "attributes";
    const fields = Object.keys(form).filter((name) => name.startsWith("fields."));
    const attributes = Object.keys(form).filter((name) => name.startsWith("attributes."));
    return html`<dialog aria-labelledby="editing" class="edit" @close=${() => this.#leave()}><form class="inside" novalidate @submit=${this.#save}>
      <header><h2 id="editing">Edit <bdi>${this.person?.profile?.name ?? this.person?.id}</bdi></h2><button type="button" class="plain" aria-label="Close" @click=${() => this.#leave()}>✕</button></header>
      <div class="form">
        ${texts.map(({ name, label, type }) => this.#text(name, label, type))}
        ${this.#text("number", "Number", "text", "numeric")}
        ${this.#text("timezone", "Time zone", "text", undefined, "zones")}
        <div class="whole">${this.#text("tags", "Tags, with commas between them", "text")}<p class="chips">${tagsOf(form["tags"]!).map((tag) => html`<bdi class="badge">${tag}</bdi> `)}</p></div>
      </div>
      ${fields.length === 0 ? nothing : html`<fieldset><legend>Custom fields</legend><div class="form">${fields.map((name) => this.#custom(name))}</div></fieldset>`}
      <fieldset><legend>Attributes, which rules may read</legend><div class="form">
        ${attributes.map((name) => this.#text(name, name.slice("attributes.".length), "text"))}
        <div class="whole pair"><div class="field"><label for="edit-attributes">New attribute</label><input id="edit-attributes" autocomplete="off" spellcheck="false" aria-invalid=${problem?.field === "attributes" ? "true" : "false"} aria-describedby=${problem?.field === "attributes" ? "attributes-wrong" : nothing}>
            ${problem?.field === "attributes" ? html`<span class="wrong" id="attributes-wrong" role="alert">${problem.message}</span>` : nothing}</div>
          <div class="field"><label for="new-value">Its value</label><input id="new-value" autocomplete="off"></div><button type="button" @click=${() => this.#addAttribute()}>Add</button></div>
      </div></fieldset>
      ${elsewhere ? html`<p class="notice bad" role="alert">${problem.message}</p>` : nothing}
      <div class="buttons"><button type="button" @click=${() => this.#leave()}>Cancel</button><button class="primary" ?disabled=${this.busy}>${this.busy ? "Saving" : "Save"}</button></div>
      <datalist id="zones">${Intl.supportedValuesOf("timeZone").map((zone) => html`<option value=${zone}></option>`)}</datalist>
    </form></dialog>`;
  }

  #text(name: string, label: string, type: string, mode?: string, list?: string) {
    return this.#field(name, label, (described) => html`<input id="edit-${name}" type=${type} .value=${this.form![name] ?? ""} @input=${(e: Event) => this.#set(name, (e.target as HTMLInputElement).value)} autocomplete="off" spellcheck="false"
      inputmode=${mode ?? nothing} list=${list ?? nothing} aria-invalid=${described ? "true" : "false"} aria-describedby=${described ?? nothing}>`);
  }

  #custom(name: string) {
    const label = name.slice("fields.".length);
    const type = this.types[label];
    if (type !== "boolean") return this.#text(name, type === "string" || type === undefined ? label : `${label} (${type})`, "text", type === "integer" ? "numeric" : type === "number" ? "decimal" : undefined);
    const now = this.form![name];
    return this.#field(name, label, (described) => html`<select id="edit-${name}" aria-describedby=${described ?? nothing} @change=${(e: Event) => this.#set(name, (e.target as HTMLSelectElement).value)}>
      ${[["", "–"], ["true", "Yes"], ["false", "No"]].map(([value, text]) => html`<option value=${value} ?selected=${value === now}>${text}</option>`)}</select>`);
  }

  #field(name: string, label: string, input: (described: string | undefined) => unknown) {
    const wrong = this.problem && fieldOf(this.problem, this.form!) === name ? this.problem.message : undefined;
    return html`<div class="field"><label for="edit-${name}">${label}</label>${input(wrong ? `${name}-wrong` : undefined)}${wrong ? html`<span class="wrong" id="${name}-wrong" role="alert">${wrong}</span>` : nothing}</div>`;
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    this.querySelector<HTMLElement>("#edit-name")?.focus();
  }
}

customElements.define("laurel-edit-user", EditUser);
