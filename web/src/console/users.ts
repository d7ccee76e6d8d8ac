import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { components } from "../api/schema.gen.js";
import type { Session } from "../shared/session.js";
import type { Shortcuts } from "../shared/shortcuts.js";
import { initials, moment, number, pictureOf } from "../shared/text.js";

type UserPage = components["schemas"]["UserPage"];
type UserRow = components["schemas"]["UserRow"];

/** What the table shows, as its address says. */
interface Choice {
  readonly search: string;
  readonly sort: "-created_at" | "created_at";
  readonly only: "" | "blocked" | "hidden";
}

const pageSize = 50;
const pauseMs = 250; // after the last letter of a search

/** The users of the org: found, filtered, ordered, a page at a time. */
export class Users extends LitElement {
  static override properties = { session: { attribute: false }, choice: { state: true }, rows: { state: true }, page: { state: true }, problem: { state: true }, busy: { state: true } };
  declare session: Session;
  declare shortcuts: Shortcuts;
  declare choice: Choice;
  declare rows: UserRow[];
  declare page: UserPage | undefined;
  declare problem: Problem | undefined;
  declare busy: boolean;
  #reading: AbortController | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #unbind: (() => void) | undefined;

  constructor() {
    super();
    this.rows = [];
    this.busy = false;
    this.choice = choiceOf(location.search);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unbind = this.shortcuts.add([{ key: "/", label: "Search users", run: () => this.querySelector<HTMLInputElement>("#search")?.focus() }]);
    void this.#read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unbind?.();
    this.#reading?.abort();
  }

  #choose(change: Partial<Choice>): void {
    this.choice = { ...this.choice, ...change };
    history.replaceState(history.state, "", `/console/users${queryOf(this.choice)}`);
    void this.#read();
  }

  // A page may be short, or empty, and have a next: a search that finds little looks on until there is something to show.
  async #read(more = false): Promise<void> {
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    const { search, sort, only } = this.choice;
    const filters = { search: search || undefined, sort, blocked: only === "blocked" ? ("true" as const) : undefined, hidden: only === "hidden" ? ("true" as const) : undefined };
    this.busy = true;
    const rows = more ? [...this.rows] : [];
    let cursor = more ? this.page?.next : undefined;
    try {
      for (;;) {
        const page = (await this.session.rest.get("/v1/users", { query: { ...filters, limit: pageSize, cursor }, signal: reading.signal })) as UserPage;
        const known = new Set(rows.map(({ id }) => id));
        rows.push(...page.users.filter(({ id }) => !known.has(id)));
        [this.rows, this.page, this.problem] = [[...rows], page, undefined];
        if (!page.next || page.users.length > 0) break;
        cursor = page.next;
      }
    } catch (err) {
      if (reading.signal.aborted) return;
      this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
    }
    this.busy = false;
  }

  #type(event: InputEvent): void {
    clearTimeout(this.#typing);
    const search = (event.target as HTMLInputElement).value;
    this.#typing = setTimeout(() => this.#choose({ search }), pauseMs);
  }

  protected override render() {
    const { choice, problem, page } = this;
    const wrong = problem?.field === "search" ? problem.message : undefined;
    return html`
      <div class="title">
        <div><h1>Users</h1><p class="soft">${page ? `${number(page.total)} in this organisation` : "Reading"}${page?.pending ? ", more are being listed" : ""}</p></div>
      </div>
      <form class="controls" role="search" @submit=${(e: SubmitEvent) => e.preventDefault()}>
        <div class="field grow"><label for="search">Search by id, name, username or e-mail</label>
          <input id="search" type="search" .value=${choice.search} @input=${this.#type} autocomplete="off" spellcheck="false" aria-keyshortcuts="/" aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? "search-wrong" : nothing}>
          ${wrong ? html`<span class="wrong" id="search-wrong">${wrong}</span>` : nothing}</div>
        <label>Show <select id="only" @change=${(e: Event) => this.#choose({ only: (e.target as HTMLSelectElement).value as Choice["only"] })}>
          ${options([["", "Everyone"], ["blocked", "Blocked"], ["hidden", "Hidden"]], choice.only)}</select></label>
        <label>Order <select id="sort" @change=${(e: Event) => this.#choose({ sort: (e.target as HTMLSelectElement).value as Choice["sort"] })}>
          ${options([["-created_at", "Newest first"], ["created_at", "Oldest first"]], choice.sort)}</select></label>
      </form>
      ${problem && !wrong ? html`<p class="notice bad" role="alert">${problem.message} <button class="link" @click=${() => void this.#read()}>Try again</button></p>` : nothing}
      <p class="sr" role="status">${this.busy ? "" : `${this.rows.length} users shown`}</p>
      ${this.rows.length > 0 ? this.#table() : this.busy || problem ? nothing : html`<p class="card empty soft">${choice.search ? `Nobody is found by “${choice.search}”.` : "Nobody here yet. Users come with their first activity."}</p>`}
      ${page?.next && this.rows.length > 0 ? html`<div class="more"><button ?disabled=${this.busy} @click=${() => void this.#read(true)}>${this.busy ? "Reading" : "Show more"}</button></div>` : nothing}`;
  }

  #table() {
    return html`
      <div class="card scroll">
        <table class="table users" aria-busy=${this.busy ? "true" : "false"}>
          <caption class="sr">Users</caption>
          <thead><tr><th scope="col">User</th><th scope="col" class="wide">E-mail</th><th scope="col" class="wide">Since</th><th scope="col">State</th><th scope="col"><span class="sr">Open</span></th></tr></thead>
          <tbody>${this.rows.map(rowOf)}</tbody>
        </table>
      </div>`;
  }
}

function rowOf({ id, created_at, profile, blocked, hidden }: UserRow) {
  const name = profile?.name ?? id;
  const picture = pictureOf(profile?.picture);
  return html`
    <tr class=${blocked ? "blocked" : ""}>
      <th scope="row"><span class="who">${picture ? html`<img class="avatar" src=${picture} alt="" loading="lazy" referrerpolicy="no-referrer">` : html`<span class="avatar" aria-hidden="true">${initials(name)}</span>`}
        <span><bdi class="name">${name}</bdi>${name === id ? nothing : html`<bdi class="soft small">${id}</bdi>`}</span></span></th>
      <td class="wide"><bdi>${profile?.email ?? html`<span class="soft">–</span>`}</bdi></td>
      <td class="wide soft">${created_at ? moment(created_at) : "–"}</td>
      <td>${blocked ? html`<span class="badge bad">Blocked</span>` : nothing}${hidden ? html`<span class="badge warn">Hidden</span>` : nothing}${blocked || hidden ? nothing : html`<span class="badge quiet">Active</span>`}</td>
      <td class="number"><a class="button" href=${`/console/users/${encodeURIComponent(id)}`} aria-label="View ${name}">View</a></td>
    </tr>`;
}

function options(list: readonly (readonly [string, string])[], chosen: string) {
  return list.map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`);
}

export function choiceOf(search: string): Choice {
  const query = new URLSearchParams(search);
  const only = query.get("only");
  return { search: query.get("search") ?? "", sort: query.get("sort") === "created_at" ? "created_at" : "-created_at", only: only === "blocked" || only === "hidden" ? only : "" };
}

export function queryOf({ search, sort, only }: Choice): string {
  const query = new URLSearchParams();
  if (search) query.set("search", search);
  if (sort !== "-created_at") query.set("sort", sort);
  if (only) query.set("only", only);
  const text = query.toString();
  return text ? `?${text}` : "";
}

customElements.define("laurel-users", Users);
