import { Problem, type LaurelError, type UserState, type View } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { Session } from "../shared/session.js";
import type { Shortcuts } from "../shared/shortcuts.js";
import { initials, pictureOf } from "../shared/text.js";
import type { RequestLog } from "./log-entries.js";
import { Latest } from "./user/latest.js";
import type { LogActivity } from "./user/log-activity.js";
import "./user/log-activity.js";
import "./user/streaks.js";
import type { Person, UserTab } from "./user/tab.js";
import { tabOf, tabs, type TabName } from "./user/tabs.js";

const atMostHz = 5; // what happens faster is shown together

/** A user, live: who it is, what there is, what can be done, and a tab for each sort of it. */
export class UserPage extends LitElement {
  static override properties = { session: { attribute: false }, user: {}, answer: { state: true }, state: { state: true }, status: { state: true }, problem: { state: true }, refused: { state: true }, tab: { state: true }, fresh: { state: true } };
  declare session: Session;
  declare log: RequestLog;
  declare shortcuts: Shortcuts;
  declare user: string;
  /** What a read answered, with what was gained in the last month. */
  declare answer: Person | undefined;
  /** What has come since. */
  declare state: UserState | undefined;
  declare status: string;
  declare problem: LaurelError | Problem | undefined;
  declare refused: Problem | undefined;
  declare tab: TabName;
  declare fresh: number;
  #view: View<UserState> | undefined;
  #unbind: (() => void) | undefined;
  readonly #panels = new Map<TabName, UserTab<unknown>>();
  readonly #reading = new Latest((signal) => this.#read(signal));
  readonly #moved = () => this.#follow();

  constructor() {
    super();
    this.status = "pending";
    this.tab = tabOf(location.hash);
    this.fresh = 0;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", this.#moved);
    this.#unbind = this.shortcuts.add([
      { key: "l", label: "Log an activity", run: () => this.#logActivity() },
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
    view.on("change", (state) => {
      [this.state, this.problem] = [state, undefined];
      this.#changed();
    });
    view.on("state", (status) => {
      if (status === "live" && this.status !== "live" && this.state) this.#changed();
      this.status = view.staleSince ? "old" : status;
    });
    view.on("error", (err) => (this.problem = err));
    view.on("snapshot", (state) => this.log.poll(`user ${this.user}`, state.user));
    view.on("delta", (delta) => this.log.poll(`user ${this.user}, what changed`, delta.user));
    view.on("event", (event) => this.log.poll(`user ${this.user}, ${event.type}`, event));
  }

  // What is shown of the user is asked for again. Whoever asks does so once at a time.
  #changed(): void {
    this.fresh++;
    this.#reading.ask();
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      this.answer = await this.session.rest.get("/v1/users/{user}", { path: { user: this.user }, query: { stats: "month" }, signal });
    } catch (err) {
      if (!signal.aborted) this.problem ??= err instanceof Problem ? err : new Problem(0, "unknown", String(err));
    }
  }

  get #person(): Person | undefined {
    return (this.state?.user as unknown as Person | undefined) ?? this.answer;
  }

  #follow(): void {
    this.tab = tabOf(location.hash);
  }

  #select(tab: TabName): void {
    if (tab === this.tab) return;
    this.tab = tab;
    history.replaceState(history.state, "", `${location.pathname}${location.search}#${tab}`);
  }

  #logActivity(): void {
    this.querySelector<LogActivity>("laurel-log-activity")?.open();
  }

  #panel(): UserTab<unknown> {
    let panel = this.#panels.get(this.tab);
    if (!panel) {
      panel = document.createElement(`laurel-user-${this.tab}`) as UserTab<unknown>;
      this.#panels.set(this.tab, panel);
    }
    return Object.assign(panel, { session: this.session, user: this.user, person: this.#person, fresh: this.fresh });
  }

  protected override render() {
    const person = this.#person;
    const name = person?.profile?.name ?? this.user;
    const picture = pictureOf(person?.profile?.picture);
    return html`
      <nav aria-label="Breadcrumb" class="crumbs small"><a href="/console/users">Users</a> <span aria-hidden="true">/</span> <bdi>${name}</bdi></nav>
      <div class="hero">
        ${picture ? html`<img class="avatar large" src=${picture} alt="" referrerpolicy="no-referrer">` : html`<span class="avatar large" aria-hidden="true">${initials(name)}</span>`}
        <div><h1><bdi>${name}</bdi></h1><p class="soft"><bdi>${this.user}</bdi></p></div>
        <span class="badges">${person?.blocked ? html`<span class="badge bad">Blocked</span>` : nothing}${person?.hidden ? html`<span class="badge warn">Hidden</span>` : nothing}
          <span class="pulse" data-state=${this.status} role="status">${words[this.status] ?? this.status}</span></span>
        <button @click=${() => this.#logActivity()} aria-keyshortcuts="l">Log activity</button>
      </div>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem.code === "user_not_found" ? "This organisation knows no such user." : this.problem.message}</p>` : nothing}
      <div role="tablist" aria-label="About the user" class="choice">
        ${tabs.map(({ id, name: title }) => html`<button role="tab" id="tab-${id}" aria-selected=${id === this.tab ? "true" : "false"} @click=${() => this.#select(id)}>${title}</button>`)}</div>
      <div role="tabpanel" id="panel" aria-labelledby="tab-${this.tab}">${this.#panel()}</div>
      <laurel-log-activity .api=${this.session.rest} .log=${this.log} .user=${this.user} .name=${name} @logged=${() => this.#changed()}></laurel-log-activity>`;
  }
}

const words: Record<string, string> = { pending: "Connecting", live: "Live", stale: "Reconnecting", old: "May be out of date", ended: "Stopped" };

customElements.define("laurel-user", UserPage);
