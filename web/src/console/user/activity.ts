import { html, nothing } from "lit";
import { number } from "../../shared/text.js";
import { ActivityMenu } from "./activity-menu.js";
import "./activity-menu.js";
import { dash, empty, metaOf, statusBadge, when, type Activity } from "./parts.js";
import { UserTab } from "./tab.js";

interface Page {
  readonly rows: readonly Activity[];
  readonly next: string | undefined;
}

type Kind = Activity["kind"];
type Status = Activity["status"];
type Column = "at" | "name" | "kind" | "value";

interface Choice {
  readonly kind: Kind | "";
  readonly status: Status | "";
  readonly name: string;
  readonly sort: Column | `-${Column}`;
}

const pageSize = 50;
const mostAtOnce = 1_000; // that the server lists
const pauseMs = 250; // after the last letter of a name

const kinds: readonly (readonly [Kind | "", string])[] = [["", "All kinds"], ["behaviour", "Behaviour"], ["point", "Points"], ["coupon", "Coupon"], ["gift", "Gift"], ["bounty", "Bounty"], ["credit", "Received"]];
const statuses: readonly (readonly [Status | "", string])[] = [["", "Any status"], ["accepted", "Accepted"], ["rejected", "Rejected"], ["ignored", "Ignored"]];

/** Everything the user did: filtered, sorted, a page at a time, each with what can be done about it. */
export class UserActivity extends UserTab<Page> {
  static override properties = { ...UserTab.properties, choice: { state: true }, open: { state: true } };
  declare choice: Choice;
  declare open: string | undefined;
  #wanted = pageSize;
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.choice = { kind: "", status: "", name: "", sort: "-at" };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#typing);
  }

  // As many as are shown are read again when there is news, so that the list stays as long as it is.
  protected override async read(signal: AbortSignal): Promise<Page> {
    const { kind, status, name, sort } = this.choice;
    const rows: Activity[] = [];
    let cursor: string | undefined;
    do {
      const limit = Math.min(mostAtOnce, this.#wanted - rows.length);
      const page = await this.session.rest.get("/v1/users/{user}/activities", { path: { user: this.user }, query: { limit, kind: kind || undefined, status: status || undefined, name: name || undefined, sort, cursor }, signal });
      rows.push(...page.activities);
      cursor = page.next;
    } while (cursor && rows.length < this.#wanted);
    return { rows, next: cursor };
  }

  #choose(change: Partial<Choice>): void {
    this.choice = { ...this.choice, ...change };
    this.#wanted = pageSize;
    this.again();
  }

  #type(event: InputEvent): void {
    clearTimeout(this.#typing);
    const name = (event.target as HTMLInputElement).value.trim();
    this.#typing = setTimeout(() => this.#choose({ name }), pauseMs);
  }

  #more(): void {
    this.#wanted = this.data!.rows.length + pageSize;
    this.again();
  }

  protected override show() {
    const { rows, next } = this.data!;
    const filtered = this.choice.kind !== "" || this.choice.status !== "" || this.choice.name !== "";
    return html`
      <form class="controls" role="search" aria-label="Activities" @submit=${(e: SubmitEvent) => e.preventDefault()}>
        <label class="grow">Name <input type="search" id="activity-name" .value=${this.choice.name} @input=${this.#type} autocomplete="off" spellcheck="false" placeholder="exactly, such as commit" list="activity-names"></label>
        <label>Kind <select id="activity-kind" @change=${(e: Event) => this.#choose({ kind: chosen(e) as Kind | "" })}>${kinds.map(([value, text]) => html`<option value=${value} ?selected=${value === this.choice.kind}>${text}</option>`)}</select></label>
        <label>Status <select id="activity-status" @change=${(e: Event) => this.#choose({ status: chosen(e) as Status | "" })}>${statuses.map(([value, text]) => html`<option value=${value} ?selected=${value === this.choice.status}>${text}</option>`)}</select></label>
      </form>
      <datalist id="activity-names">${[...new Set(rows.map((row) => row.name))].map((name) => html`<option value=${name}></option>`)}</datalist>
      ${rows.length === 0 ? empty(filtered ? "No activity is like that." : "Nothing yet. Log an activity with L.") : this.#table(rows)}
      ${next ? html`<div class="more"><button ?disabled=${this.busy} @click=${() => this.#more()}>${this.busy ? "Reading" : "Show more"}</button></div>` : nothing}
      <laurel-activity-menu .session=${this.session} @changed=${() => this.again()}></laurel-activity-menu>`;
  }

  #table(rows: readonly Activity[]) {
    return html`<div class="card scroll"><table class="table stack activities" aria-busy=${this.busy ? "true" : "false"}>
      <caption class="sr">Activities</caption>
      <thead><tr>${this.#column("at", "When")}${this.#column("name", "Activity")}${this.#column("kind", "Kind", "wide")}${this.#column("value", "Value", "number")}
        <th scope="col" class="wide">Details</th><th scope="col">Status</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
      <tbody>${rows.map((row) => this.#row(row))}</tbody></table></div>`;
  }

  #column(column: Column, name: string, kind = "") {
    const { sort } = this.choice;
    const by = sort === column ? "ascending" : sort === `-${column}` ? "descending" : undefined;
    const first = column === "at" || column === "value" ? (`-${column}` as const) : column;
    const next = by === undefined ? first : by === "ascending" ? (`-${column}` as const) : column;
    return html`<th scope="col" class=${kind} aria-sort=${by ?? "none"}><button class="sort" @click=${() => this.#choose({ sort: next })}>${name}<span aria-hidden="true">${by === "ascending" ? "↑" : by ? "↓" : ""}</span></button></th>`;
  }

  #row(a: Activity) {
    const meta = metaOf(a);
    return html`<tr class=${a.status === "accepted" ? "" : "void"}>
      <td>${when(a.at)}</td><th scope="row"><bdi class="name">${a.name}</bdi></th><td class="wide soft">${kinds.find(([kind]) => kind === a.kind)![1]}</td>
      <td class="number value">${a.value === undefined ? dash : number(a.value)}</td>
      <td class="wide"><bdi class="soft small clip" title=${meta}>${meta || dash}</bdi></td>
      <td class="status">${statusBadge(a.status)}${a.reason ? html` <bdi class="soft small">${a.reason}</bdi>` : nothing}</td>
      <td class="number"><button class="plain dots" aria-haspopup="menu" aria-label="What to do about ${a.name}" @click=${(e: Event) => this.querySelector<ActivityMenu>("laurel-activity-menu")!.open(a, e.currentTarget as HTMLElement)}>⋯</button></td></tr>`;
  }
}

const chosen = (event: Event) => (event.target as HTMLSelectElement).value;

customElements.define("laurel-user-activity", UserActivity);
