import "./log-activity.css";
import { Problem, type Rest } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { paths } from "../../api/schema.gen.js";
import type { Entry, RequestLog } from "../log-entries.js";
import "../log.js";
import { definitionsOf, type Definition } from "./definitions.js";
import { activityOf, emptyDraft, fieldOf, fieldsOf, kinds, type ActivityIn, type Draft, type Field, type Kind } from "./draft.js";
import { effectsInShort, effectsView, type Recorded } from "./effects.js";
import { fieldView, pairsView, type FieldSetting } from "./fields.js";
import { pastOf, type Activity } from "./past.js";
import { People } from "./people.js";

const pastRead = 200; // activities that are looked through for what can be refunded, cancelled or awarded

const plural: Record<Kind, string> = { behaviour: "behaviours", coupon: "rewards with a price", point: "wallets", gift: "gifts", bounty: "bounties" };
const actionNames: Record<string, string> = { set: "Set", increment: "Increment", redeem: "Redeem", refund: "Refund", start: "Start", cancel: "Cancel", award: "Award" };

/** What is read for a tab when it is shown. `definitions` is undefined where the key may not read them. */
interface Known {
  readonly definitions: readonly Definition[] | undefined;
  readonly activities: readonly Activity[];
}

/**
 * Records an activity for the user, in a panel that slides over the page. It tells with the event `logged`, whose detail is the server's answer, that one was
 * recorded. What is filled in stays until it was recorded.
 */
export class LogActivity extends LitElement {
  static override properties = {
    api: { attribute: false }, user: {}, name: {}, log: { attribute: false }, shown: { state: true }, kind: { state: true }, drafts: { state: true }, known: { state: true },
    faults: { state: true }, problem: { state: true }, answer: { state: true }, news: { state: true }, busy: { state: true }, another: { state: true },
  };
  declare api: Rest<paths>;
  declare user: string;
  /** How the user is called. */
  declare name: string | undefined;
  declare log: RequestLog | undefined;
  declare protected shown: boolean;
  declare protected kind: Kind;
  declare protected drafts: Readonly<Partial<Record<Kind, Draft>>>;
  declare protected known: Readonly<Partial<Record<Kind, Known>>>;
  declare protected faults: Readonly<Record<string, string>>;
  /** What is wrong with no field. */
  declare protected problem: string | undefined;
  declare protected answer: Recorded | undefined;
  /** What was recorded before the panel closed. */
  declare protected news: Recorded | undefined;
  declare protected busy: boolean;
  declare protected another: boolean;
  readonly #people = new People(() => this.requestUpdate());
  #reading: AbortController | undefined;
  #unanswered: { readonly content: string; readonly id: string } | undefined; // what may have been stored or not

  constructor() {
    super();
    [this.shown, this.busy, this.another] = [false, false, false];
    [this.kind, this.drafts, this.known, this.faults] = ["behaviour", {}, {}, {}];
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reading?.abort();
    this.#people.stop();
  }

  open(): void {
    if (this.#dialog?.open) return;
    this.shown = true;
    this.known = {}; // the catalog may be another by now
    this.news = undefined;
    void this.#read();
    void this.updateComplete.then(() => {
      this.#dialog?.showModal();
      this.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
    });
  }

  // What is refused after that stands there when it is opened again.
  #closed(): void {
    if (this.#dialog?.open) return; // opened again before this was told
    this.shown = false;
    this.#clear();
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector("dialog");
  }

  get #draft(): Draft {
    return this.#filled(this.drafts[this.kind] ?? emptyDraft(this.kind));
  }

  // What is not chosen yet is the first there is to choose.
  #filled(draft: Draft): Draft {
    const known = this.known[draft.kind];
    const name = draft.values["name"] ?? known?.definitions?.[0]?.id ?? "";
    const named = { ...draft, values: { ...draft.values, name } };
    const of = draft.values["meta.of"] ?? pastOf(named, known?.activities ?? [])[0]?.id ?? "";
    return { ...named, values: { ...named.values, "meta.of": of } };
  }

  #change(change: Partial<Draft>): void {
    this.drafts = { ...this.drafts, [this.kind]: { ...(this.drafts[this.kind] ?? emptyDraft(this.kind)), ...change } };
  }

  #set(name: string, value: string): void {
    const values = { ...this.drafts[this.kind]?.values, [name]: value };
    if (name === "name") delete values["meta.of"]; // it is of another one
    this.#change({ values });
  }

  #act(action: string): void {
    const { "meta.of": _, ...values } = this.drafts[this.kind]?.values ?? {};
    this.#clear();
    this.#change({ action, values });
  }

  #choose(kind: Kind): void {
    if (kind === this.kind) return;
    this.kind = kind;
    this.#clear();
    void this.#read();
  }

  #clear(): void {
    [this.faults, this.problem, this.answer] = [{}, undefined, undefined];
  }

  // What the shown tab is filled in from. What is known stays until there is newer.
  async #read(): Promise<void> {
    this.#reading?.abort();
    const { signal } = (this.#reading = new AbortController());
    const { kind, api, user } = this;
    const past = kinds.some((k) => k.kind === kind && k.actions.length > 0);
    try {
      const [definitions, page] = await Promise.all([
        definitionsOf(api, kind, signal),
        past ? api.get("/v1/users/{user}/activities", { path: { user }, query: { kind, limit: pastRead }, signal }) : undefined,
      ]);
      this.known = { ...this.known, [kind]: { definitions, activities: page?.activities ?? [] } };
    } catch (err) {
      if (!signal.aborted) this.problem = err instanceof Error ? err.message : String(err);
    }
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { kind } = this;
    const draft = this.#draft;
    const fields = fieldsOf(draft, this.#chosen(draft));
    this.#clear();
    const made = activityOf(draft, fields, this.user, "");
    if (made.faults) return this.#refuse(made.faults, undefined);
    const activity = { ...made.activity, id: this.#idOf(made.activity) };
    this.busy = true;
    try {
      const answer = (await this.api.post("/v1/activities", { body: activity })) as Recorded;
      this.#unanswered = undefined;
      this.#recorded(kind, answer);
    } catch (err) {
      const problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
      const at = fieldOf(problem, fields);
      this.kind = kind; // it may be another by now, and this wants to be seen
      this.#refuse(at ? { [at]: problem.message } : {}, at ? undefined : refusal(problem));
    } finally {
      this.busy = false;
    }
  }

  // The same content that nobody has answered for is the same activity, and may be sent again; anything else is another one.
  #idOf(activity: ActivityIn): string {
    const content = JSON.stringify(activity);
    if (this.#unanswered?.content !== content) this.#unanswered = { content, id: newID() };
    return this.#unanswered.id;
  }

  #recorded(kind: Kind, answer: Recorded): void {
    this.dispatchEvent(new CustomEvent("logged", { detail: answer }));
    if (this.another) {
      this.answer = answer;
      void this.#read(); // there may be more to refund
      void this.updateComplete.then(() => this.querySelector(".answer")?.scrollIntoView({ block: "nearest" }));
      return;
    }
    const { [kind]: _, ...others } = this.drafts;
    this.drafts = others;
    this.news = answer;
    this.#dialog?.close();
  }

  #refuse(faults: Readonly<Record<string, string>>, problem: string | undefined): void {
    [this.faults, this.problem] = [faults, problem];
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("form [aria-invalid=true]")?.focus());
  }

  #chosen({ kind, values }: Draft): Definition | undefined {
    return this.known[kind]?.definitions?.find(({ id }) => id === values["name"]);
  }

  protected override render() {
    return html`
      ${this.shown ? this.#panel() : nothing}
      <div class="toast card" role="status" ?hidden=${!this.news}>${this.news ? html`${effectsInShort(this.news)}
        <button class="plain" aria-label="Dismiss" @click=${() => (this.news = undefined)}>✕</button>` : nothing}</div>`;
  }

  #panel() {
    return html`
      <dialog class="slide" aria-labelledby="log-activity" @close=${() => this.#closed()} @keydown=${(e: KeyboardEvent) => this.#keep(e)}>
        <div class="inside">
          <header><div><h2 id="log-activity">Log activity</h2><p class="soft small">for <bdi>${this.name ?? this.user}</bdi></p></div>
            <button class="plain" aria-label="Close" @click=${() => this.#dialog?.close()}>✕</button></header>
          <div role="tablist" aria-label="Type of activity" class="choice kinds" @keydown=${(e: KeyboardEvent) => this.#turn(e)}>
            ${kinds.map(({ kind, name }) => html`<button role="tab" id="log-tab-${kind}" aria-controls="log-form" aria-selected=${kind === this.kind ? "true" : "false"} tabindex=${kind === this.kind ? "0" : "-1"} @click=${() => this.#choose(kind)}>${name}</button>`)}
          </div>
          <div role="tabpanel" id="log-form" aria-labelledby="log-tab-${this.kind}" class="panel">
            ${this.problem ? html`<p class="notice bad" role="alert">${this.problem}</p>` : nothing}
            ${this.#form()}
            <div role="status" class="answer">${this.answer ? effectsView(this.answer) : nothing}</div>
          </div>
        </div>
        ${this.log ? html`<laurel-log .log=${this.log} .only=${submissions}></laurel-log>` : nothing}
      </dialog>`;
  }

  #form() {
    const known = this.known[this.kind];
    if (!known) return this.problem ? html`<div><button @click=${() => void this.#read()}>Try again</button></div>` : html`<p class="soft" role="status">Reading the catalog</p>`;
    if (known.definitions?.length === 0 && this.kind !== "behaviour") return html`<p class="soft">This organisation has no ${plural[this.kind]}.</p>`;
    const draft = this.#draft;
    const chosen = this.#chosen(draft);
    const { actions } = kinds.find(({ kind }) => kind === this.kind)!;
    const setting = this.#setting(draft, known);
    const fields = fieldsOf(draft, chosen);
    const declared = ({ name }: Field) => this.kind === "behaviour" && name.startsWith("meta.");
    return html`
      <form novalidate @submit=${(e: SubmitEvent) => void this.#submit(e)}>
        ${actions.length > 0 ? html`
          <fieldset class="choice actions"><legend class="sr">What to do</legend>${actions.map((action) => html`
            <label><input type="radio" name="action" value=${action} .checked=${action === draft.action} @change=${() => this.#act(action)}><span>${actionNames[action] ?? action}</span></label>`)}</fieldset>` : nothing}
        ${fields.filter((field) => !declared(field)).map((field) => fieldView(field, setting))}
        ${this.kind !== "behaviour" ? nothing : chosen?.meta
          ? html`<fieldset class="members"><legend>Metadata</legend>${fields.filter(declared).map((field) => fieldView(field, setting))}</fieldset>`
          : pairsView(draft.pairs, (name) => this.faults[name], (pairs) => this.#change({ pairs }))}
        <div class="send">
          <button class="primary" ?disabled=${this.busy}>${this.busy ? "Sending" : "Log activity"}</button>
          <label class="check"><input type="checkbox" .checked=${this.another} @change=${(e: Event) => (this.another = (e.target as HTMLInputElement).checked)}> Create another</label>
        </div>
      </form>`;
  }

  #setting(draft: Draft, known: Known): FieldSetting {
    return {
      definitions: known.definitions,
      past: pastOf(draft, known.activities),
      people: this.#people,
      value: (name) => draft.values[name] ?? "",
      wrong: (name) => this.faults[name],
      set: (name, value) => this.#set(name, value),
      seek: (text) => this.#people.ask(this.api, text),
    };
  }

  // Arrows go from tab to tab, as tabs of a page do.
  #turn(event: KeyboardEvent): void {
    const at = kinds.findIndex(({ kind }) => kind === this.kind);
    const step = getComputedStyle(this).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: kinds.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { kind } = kinds[(to + kinds.length) % kinds.length]!;
    this.#choose(kind);
    this.querySelector<HTMLElement>(`#log-tab-${kind}`)?.focus();
  }

  // A modal dialog keeps the page out by itself; from its ends, Tab would still go to the browser's own bars.
  #keep(event: KeyboardEvent): void {
    if (event.key !== "Tab" || !this.#dialog) return;
    const stops = [...this.#dialog.querySelectorAll<HTMLElement>("button, input, select, summary, [tabindex]")].filter((e) => e.tabIndex >= 0 && !e.matches(":disabled") && e.checkVisibility());
    const [first, last] = [stops[0], stops.at(-1)];
    const end = event.shiftKey ? first : last;
    if (document.activeElement !== end) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }
}

const submissions = ({ what, kind }: Entry): boolean => what.startsWith("POST /v1/activities") || kind === "POLL";

function refusal({ message, code }: Problem): string {
  return code === "network" ? "The server cannot be reached. Log it again when it is back: it will count once." : message;
}

function newID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `console-${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

customElements.define("laurel-log-activity", LogActivity);
