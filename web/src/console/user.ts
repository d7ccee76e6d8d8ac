import { Problem, type LaurelError, type UserState, type View } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { Session } from "../shared/session.js";
import type { Shortcuts } from "../shared/shortcuts.js";
import { initials, number, pictureOf } from "../shared/text.js";
import type { RequestLog } from "./log-entries.js";
import "./user.css";
import "./user/activity.js";
import "./user/coupons.js";
import type { EditUser } from "./user/edit.js";
import "./user/edit.js";
import "./user/kpis.js";
import { Latest } from "./user/latest.js";
import "./user/leaderboards.js";
import type { LogActivity } from "./user/log-activity.js";
import "./user/log-activity.js";
import "./user/overview.js";
import "./user/points.js";
import "./user/rewards.js";
import "./user/settings.js";
import { statsOf } from "./user/stats.js";
import "./user/streaks.js";
import type { Person, UserTab } from "./user/tab.js";
import { tabOf, tabs, type TabName } from "./user/tabs.js";

const atMostHz = 5; // what happens faster is shown together

/** A user, live: who it is, what there is, what can be done, and a tab for each sort of it. */
export class UserPage extends LitElement {
  static override properties = { session: { attribute: false }, user: {}, person: { state: true }, month: { state: true }, status: { state: true }, problem: { state: true }, refused: { state: true }, tab: { state: true }, fresh: { state: true }, said: { state: true } };
  declare session: Session;
  declare log: RequestLog;
  declare shortcuts: Shortcuts;
  declare user: string;
  /** As the live view, or the answer to what was done here, has it. */
  declare person: Person | undefined;
  /** With what was gained in the last month, which the live view does not say. */
  declare month: Person["stats"];
  declare status: string;
  declare problem: LaurelError | Problem | undefined;
  /** What the server said no to. */
  declare refused: Problem | undefined;
  declare tab: TabName;
  declare fresh: number;
  /** For who cannot see what has changed. */
  declare said: string;
  #view: View<UserState> | undefined;
  #unbind: (() => void) | undefined;
  #blocking = false; // or unblocking
  #inSight: HTMLElement | undefined;
  readonly #panels = new Map<TabName, UserTab<unknown>>();
  readonly #reading = new Latest((signal) => this.#read(signal));
  readonly #moved = () => (this.tab = tabOf(location.hash));

  constructor() {
    super();
    this.status = "pending";
    this.tab = tabOf(location.hash);
    this.fresh = 0;
    this.said = "";
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.#moved);
    this.addEventListener("person", (event) => this.#tell((event as CustomEvent<Person>).detail));
    this.addEventListener("click", (event) => this.#link(event));
    this.#unbind = this.shortcuts.add([
      { key: "e", label: "Edit the user", run: () => this.#edit() },
      { key: "l", label: "Log an activity", run: () => this.#logActivity() },
      { key: "b", label: "Block the user", run: () => void this.#block(true) },
      { key: "u", label: "Unblock the user", run: () => void this.#block(false) },
      ...tabs.map(({ id, name }, i) => ({ key: String(i + 1), label: `Tab: ${name}`, run: () => this.#select(id) })),
    ]);
    this.#reading.ask();
    this.#watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.#moved);
    this.#unbind?.();
    this.#view?.close();
    this.#reading.stop();
  }

  #watch(): void {
    const view = (this.#view = this.session.live.user(this.user, { max_hz: atMostHz }));
    view.on("change", (state) => (this.person = state.user as unknown as Person));
    view.on("state", (status) => {
      const back = status === "live" && this.status === "stale";
      this.status = view.staleSince ? "old" : status;
      if (back) this.#changed();
    });
    view.on("error", (err) => (this.problem = err));
    view.on("snapshot", (state) => {
      this.log.poll(`user ${this.user}`, state.user);
      this.#changed();
    });
    view.on("delta", (delta) => {
      this.log.poll(`user ${this.user}, what changed`, delta.user);
      if (Object.keys(delta.user).some((member) => member !== "ranks")) this.#changed(); // ranks move with others too, and are all there
    });
    view.on("event", (event) => {
      this.log.poll(`user ${this.user}, ${event.type}`, event);
      this.#changed(); // of a reward that is claimed the user's object says nothing
    });
  }

  // What is shown of the user is asked for again. Whoever asks does so once at a time. What was gained in the last month is another only where there is more or less in all.
  #changed(): void {
    this.fresh++;
    if (totalsOf(this.person?.stats) !== totalsOf(this.month)) this.#reading.ask();
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      const person = await this.session.rest.get("/v1/users/{user}", { path: { user: this.user }, query: { stats: "month" }, signal });
      this.month = person.stats;
      if (!this.person || this.status !== "live") this.person = person;
      if (this.status !== "ended") this.problem = undefined;
    } catch (err) {
      if (!signal.aborted) this.problem ??= problemOf(err);
    }
  }

  #tell(person: Person): void {
    this.person = person;
    this.#changed();
  }

  #edit(): void {
    this.querySelector<EditUser>("laurel-edit-user")?.open();
  }

  #logActivity(): void {
    this.querySelector<LogActivity>("laurel-log-activity")?.open();
  }

  async #block(block: boolean): Promise<void> {
    if (!this.person || this.#blocking) return;
    if (Boolean(this.person.blocked) === block) {
      this.said = block ? "Blocked already" : "Not blocked";
      return;
    }
    [this.#blocking, this.refused] = [true, undefined];
    const input = { path: { user: this.user } };
    try {
      this.#tell(await (block ? this.session.rest.post("/v1/users/{user}/block", input) : this.session.rest.post("/v1/users/{user}/unblock", input)));
      this.said = block ? "Blocked" : "Not blocked any more";
    } catch (err) {
      this.refused = problemOf(err);
    }
    this.#blocking = false;
  }

  #select(tab: TabName): void {
    this.tab = tab;
    history.replaceState(history.state, "", `${location.pathname}${location.search}#${tab}`);
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#tab-${tab}`)?.focus({ preventScroll: true }));
  }

  // On a phone the tabs are wider than the page: the one that is shown is in sight.
  protected override updated(): void {
    const button = this.querySelector<HTMLElement>(`#tab-${this.tab}`);
    if (!button || this.#inSight === button) return;
    this.#inSight = button;
    const { left, right } = button.getBoundingClientRect();
    const list = button.parentElement!.getBoundingClientRect();
    if (left < list.left || right > list.right) button.parentElement!.scrollLeft += left - list.left - 24;
  }

  // A link to a tab, such as View all, is a press on it.
  #link(event: MouseEvent): void {
    const hash = (event.target as Element).closest("a")?.getAttribute("href");
    const tab = tabs.find(({ id }) => hash === `#${id}`);
    if (!tab || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#select(tab.id);
  }

  #arrows(event: KeyboardEvent): void {
    const at = tabs.findIndex(({ id }) => id === this.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#select(tabs.at(to % tabs.length)!.id);
  }

  // A tab is made when it is first shown, and is in the page while it is shown.
  #panel(): UserTab<unknown> {
    let panel = this.#panels.get(this.tab);
    if (!panel) {
      panel = document.createElement(`laurel-user-${this.tab}`) as UserTab<unknown>;
      this.#panels.set(this.tab, panel);
    }
    return Object.assign(panel, { session: this.session, user: this.user, person: this.person, fresh: this.fresh });
  }

  protected override render() {
    const { person, problem } = this;
    const name = person?.profile?.name ?? this.user;
    const blocked = person?.blocked === true;
    const unknown = problem?.code === "user_not_found" || problem?.code === "user_merged";
    return html`
      <div class="head">
        <div><nav aria-label="Breadcrumb" class="crumbs small"><a href="/console/users">Users</a> <span aria-hidden="true">/</span> <bdi>${name}</bdi></nav>
          <h1><bdi>${name}</bdi></h1></div>
        <span class="pulse" data-state=${this.status} role="status">${words[this.status] ?? this.status}</span>
        <div class="acts" ?hidden=${unknown}>
          <button @click=${() => this.#edit()} aria-keyshortcuts="e" ?disabled=${!person}>Edit <kbd aria-hidden="true">E</kbd></button>
          <button @click=${() => void this.#block(!blocked)} aria-keyshortcuts=${blocked ? "u" : "b"} ?disabled=${!person}>${blocked ? "Unblock" : "Block"} <kbd aria-hidden="true">${blocked ? "U" : "B"}</kbd></button>
          <button class="primary" @click=${() => this.#logActivity()} aria-keyshortcuts="l">Log activity <kbd aria-hidden="true">L</kbd></button>
        </div>
      </div>
      <p class="sr" role="status">${this.said}</p>
      ${problem ? html`<p class="notice bad" role="alert">${problem.code === "user_not_found" ? "This organisation knows no such user." : problem.message}</p>` : nothing}
      ${this.status === "stale" && !unknown ? html`<p class="notice" role="alert">The connection is lost. What is shown may be old; it goes on by itself.</p>` : nothing}
      ${this.refused ? html`<p class="notice bad" role="alert">${this.refused.message}</p>` : nothing}
      ${unknown ? nothing : html`${this.#hero(name)}${statsOf(person?.stats, this.month)}${this.#tabs()}`}
      <laurel-edit-user .session=${this.session} .person=${person}></laurel-edit-user>
      <laurel-log-activity .api=${this.session.rest} .log=${this.log} .user=${this.user} .name=${name} @logged=${() => this.#changed()}></laurel-log-activity>`;
  }

  #hero(name: string) {
    const { person } = this;
    const profile = person?.profile ?? {};
    const picture = pictureOf(profile.picture);
    const fullName = [profile.first_name, profile.last_name].filter(Boolean).join(" ") || profile.name;
    const fact = (what: string, value: unknown) => html`<div><dt>${what}</dt><dd>${value || html`<span class="soft">–</span>`}</dd></div>`;
    return html`
      <section class="card hero ${person?.blocked ? "blocked" : ""}" aria-label="Who it is">
        ${picture ? html`<img class="avatar large" src=${picture} alt="" referrerpolicy="no-referrer">` : html`<span class="avatar large" aria-hidden="true">${initials(name)}</span>`}
        <dl>
          ${fact("Full name", fullName ? html`<bdi>${fullName}</bdi>` : "")}
          ${fact("UUID", html`<bdi class="id">${this.user}</bdi>`)}
          ${fact("E-mail", profile.email ? html`<a href="mailto:${encodeURIComponent(profile.email)}"><bdi>${profile.email}</bdi></a>` : "")}
          ${fact("Tags", profile.tags?.length ? profile.tags.map((tag) => html`<bdi class="badge">${tag}</bdi> `) : "")}
        </dl>
        ${person?.blocked || person?.hidden ? html`<p class="badges">
          ${person.blocked ? html`<span class="badge bad">Blocked</span><span class="small">Earns nothing; what is there stays.</span>` : nothing}
          ${person.hidden ? html`<span class="badge warn">Hidden</span><span class="small">On no leaderboard.</span>` : nothing}</p>` : nothing}
      </section>`;
  }

  #tabs() {
    return html`
      <div role="tablist" aria-label="About the user" class="tabs" @keydown=${this.#arrows}>
        ${tabs.map(({ id, name }, i) => html`<button role="tab" id="tab-${id}" aria-selected=${id === this.tab ? "true" : "false"} aria-controls="panel" tabindex=${id === this.tab ? 0 : -1} aria-keyshortcuts=${number(i + 1)} @click=${() => this.#select(id)}>${name}</button>`)}</div>
      <div role="tabpanel" id="panel" tabindex="0" aria-labelledby="tab-${this.tab}">${this.#panel()}</div>`;
  }
}

const words: Record<string, string> = { pending: "Connecting", live: "Live", stale: "Reconnecting", old: "May be out of date", ended: "Stopped" };

/** The stats without what was gained in the last month, to compare. */
function totalsOf(stats: Person["stats"]): string {
  return JSON.stringify(stats, (name, value: unknown) => (name === "last_month" ? undefined : value));
}

function problemOf(err: unknown): Problem {
  return err instanceof Problem ? err : new Problem(0, "unknown", String(err));
}

customElements.define("laurel-user", UserPage);
