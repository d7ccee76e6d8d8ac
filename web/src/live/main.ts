import "../shared/base.css";
import "./live.css";
import { Problem, type BoardState, type Row, type View } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { components } from "../api/schema.gen.js";
import { Announcer } from "../board/announcer.js";
import { BoardList } from "../board/list.js";
import icon from "../shared/icon.svg";
import { kept, signIn, signOut, takeKeyFromAddress, type Session } from "../shared/session.js";
import "../shared/history.js";
import type { HistoryOf } from "../shared/history.js";
import type { SignIn } from "../shared/sign-in.js";
import "../shared/sign-in.js";
import { moment, number, periodName } from "../shared/text.js";
import { setTheme, theme } from "../shared/theme.js";
import { left, nextTick } from "../shared/time.js";
import { addressOf, placeOf, type Place } from "./address.js";

type Rule = components["schemas"]["LeaderboardRule"];

const mostRows = 1_000;
const aroundSpan = 50;

/** A board, live, on a page of its own. */
class Live extends LitElement {
  static override properties = {
    session: { state: true }, place: { state: true }, rules: { state: true }, board: { state: true }, status: { state: true }, problem: { state: true },
    me: { state: true }, chosen: { state: true }, countdown: { state: true }, aside: { state: true },
  };
  declare session: Session | undefined;
  declare place: Place | undefined;
  declare rules: Rule[];
  declare board: BoardState | undefined;
  declare status: string;
  declare problem: string | undefined;
  declare me: Row | undefined;
  declare chosen: string | undefined;
  declare countdown: string;
  declare aside: boolean; // the follower's own row is out of sight
  readonly #list = new BoardList({ choose: (user) => (this.chosen = user), since: () => this.#since() });
  readonly #announcer = new Announcer((text) => {
    this.querySelector("#news")!.textContent = text;
  }, 15_000, { now: () => performance.now(), timer: (ms, f) => { const t = setTimeout(f, ms); return () => clearTimeout(t); } });
  #views: View<BoardState>[] = [];
  #ticking: ReturnType<typeof setTimeout> | undefined;
  #leader: string | undefined;

  constructor() {
    super();
    this.rules = [];
    this.status = "pending";
    this.countdown = "";
    this.aside = false;
    this.place = placeOf(location.pathname, location.search);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#list.start();
    addEventListener("popstate", () => this.#go(placeOf(location.pathname, location.search), false));
    addEventListener("scroll", () => this.#look(), { passive: true });
    const key = kept.get("key");
    if (key) void this.#enter(key);
  }

  async #enter(key: string): Promise<void> {
    try {
      const session = await signIn(key, kept.get("org"));
      const { leaderboards } = await session.rest.get("/v1/leaderboards", {});
      this.session = session;
      session.live.on("error", (err) => {
        if (err.final) this.#fail(new Problem(0, err.code, err.message));
      });
      this.rules = leaderboards;
      this.#go(this.place ?? this.#first(), this.place === undefined);
    } catch (err) {
      this.#fail(err);
    }
  }

  // A key that the server does not take is asked for again. What else fails is tried again.
  #fail(err: unknown): void {
    const refused = !(err instanceof Problem) || (err.status > 0 && err.status < 500 && err.status !== 429) || err.code === "unauthorized";
    if (!refused) {
      this.problem = `${(err as Problem).message}. Trying again.`;
      setTimeout(() => void this.#enter(kept.get("key") ?? ""), 3_000);
      return;
    }
    signOut(this.session);
    this.session = undefined;
    this.problem = undefined;
    void this.updateComplete.then(() => this.querySelector<SignIn>("laurel-sign-in")?.refuse(err));
  }

  #first(): Place | undefined {
    const rule = this.rules[0];
    return rule && { rule: rule.rule, period: rule.cycles[0]!.cycle, user: undefined, segment: undefined, around: false };
  }

  #go(place: Place | undefined, write = true): void {
    if (write && place) history.replaceState(null, "", addressOf(place));
    this.place = place;
    this.problem = place ? undefined : "This organisation has no boards yet.";
    this.#watch();
  }

  #watch(): void {
    for (const view of this.#views.splice(0)) view.close();
    const { place, session } = this;
    this.board = this.me = this.chosen = this.#leader = undefined;
    this.aside = false;
    this.#list.clear();
    if (!place || !session) return;
    const { rule, period, user, segment } = place;
    const board = { rule, period, fields: ["profile" as const], ...(segment ? { segment } : {}) };
    const around = place.around && user !== undefined;
    const view = around ? session.live.around({ ...board, user, span: aroundSpan }) : session.live.top({ ...board, limit: mostRows });
    this.#views.push(view);
    view.on("change", (state) => this.#show(state));
    view.on("state", () => this.#say(view));
    view.on("error", (err) => (this.problem = err.message));
    view.on("period", ({ started }) => {
      this.#list.clear();
      this.#announcer.say(`${periodName(started.label)} has begun`);
    });
    this.#say(view);
    if (user) {
      const mine = session.live.users({ ...board, users: [user] }, { max_hz: 4 });
      this.#views.push(mine);
      mine.on("change", ({ rows }) => {
        if (this.me && rows[0] && rows[0].rank !== this.me.rank) this.#announcer.say(`${rows[0].profile?.name ?? user} is at rank ${number(rows[0].rank)}`);
        this.me = rows[0];
        this.#look();
      });
    }
  }

  #say(view: View<BoardState>): void {
    this.status = view.status === "stale" && view.staleSince ? "old" : view.status;
  }

  #show(state: BoardState): void {
    const { user, around } = this.place!;
    if (!this.board && around) void this.updateComplete.then(() => this.#list.reveal(user!));
    this.board = state;
    this.problem = undefined;
    this.#list.show(state.rows, state.total, `${this.place!.rule}, ${periodName(this.place!.period)}`, this.place!.user);
    const leader = this.place!.around ? undefined : state.rows[0];
    if (leader && this.#leader && leader.user !== this.#leader) this.#announcer.say(`${leader.profile?.name ?? leader.user} leads with ${number(leader.score)}`);
    this.#leader = leader?.user;
    this.#count();
    this.#look();
  }

  #look(): void {
    this.aside = this.me !== undefined && !this.#list.sees(this.me.user);
  }

  #count(): void {
    clearTimeout(this.#ticking);
    const end = this.board?.period.end;
    if (!end) {
      this.countdown = "";
      return;
    }
    const ms = Date.parse(end) - Date.now();
    this.countdown = ms > 0 ? `Ends in ${left(ms, undefined)}` : this.board!.period.closed ? "Closed" : "Over; late activities still count";
    if (ms > 0) this.#ticking = setTimeout(() => this.#count(), nextTick(ms));
  }

  #since(): string {
    const cycle = this.#cycle();
    if (cycle === "all") return "";
    return cycle === "day" ? "vs yesterday" : `vs last ${cycle && /^[a-z]+$/.test(cycle) ? cycle : "period"}`;
  }

  // The cycle of what is shown; of a label, the rule's cycle whose labels look like it.
  #cycle(): string | undefined {
    const period = this.place?.period ?? "";
    const cycles = this.rules.find(({ rule }) => rule === this.place?.rule)?.cycles ?? [];
    const named = cycles.find(({ cycle }) => cycle === period.split("~")[0])?.cycle;
    const shape = (label: string) => label.replace(/\d+/g, "0");
    return named ?? cycles.find((c) => shape(c.period?.label ?? "") === shape(period))?.cycle;
  }

  protected override render() {
    if (!this.session) {
      const wanted = kept.get("key") !== null;
      return html`${wanted && this.problem ? html`<main class="page"><p class="notice" role="alert">${this.problem}</p></main>` : nothing}
        <laurel-sign-in ?hidden=${wanted} .purpose=${"A key that may read boards shows them here."} @key=${(e: CustomEvent<string>) => void this.#enter(e.detail)}></laurel-sign-in>`;
    }
    const { place, board } = this;
    return html`
      <a class="skip" href="#main">To the board</a>
      <header class="top">
        <a class="brand" href="/live"><img src=${icon} alt="">Laurel</a>
        <span class="pulse" data-state=${this.status} role="status">${said[this.status] ?? this.status}</span>
      </header>
      <main class="page" id="main" tabindex="-1">
        <div class="title">
          <div>
            <h1>${place?.rule ?? "Boards"}</h1>
            <p class="soft">${place ? periodName(place.period) : ""}${board && board.period.label !== place?.period ? html` · ${board.period.label}` : nothing}${place?.segment ? html` · ${place.segment}` : nothing}
              ${board ? html`· ${number(board.total)} ${board.total === 1 ? "user" : "users"}` : nothing}</p>
          </div>
          ${this.countdown ? html`<p class="countdown" title=${board?.period.end ? `Until ${moment(board.period.end)}` : nothing}>${this.countdown}</p>` : nothing}
        </div>
        ${this.#controls()}
        ${this.problem ? html`<p class="notice bad" role="alert">${this.problem}</p>` : nothing}
        ${board && board.rows.length === 0 && !this.problem ? html`<p class="card empty soft">${place?.around ? `${place.user} is not on this board yet.` : "Nobody is on this board yet."}</p>` : nothing}
        <div class="card" ?hidden=${!board || board.rows.length === 0 || this.problem !== undefined}>${this.#list.element}</div>
        ${board && !place?.around && board.total > mostRows ? html`<p class="soft small">The first ${number(mostRows)} of ${number(board.total)} are shown.</p>` : nothing}
      </main>
      ${this.aside ? this.#mine() : nothing}
      ${this.chosen === undefined ? nothing : this.#details(this.chosen)}
      <p class="sr" id="news" role="status"></p>`;
  }

  #controls() {
    const { place } = this;
    const cycles = this.rules.find(({ rule }) => rule === place?.rule)?.cycles.map(({ cycle }) => cycle) ?? [];
    const periods = [...cycles, ...cycles.filter((cycle) => cycle !== "all").map((cycle) => `${cycle}~1`)];
    if (place && !periods.includes(place.period)) periods.push(place.period);
    const move = (change: Partial<Place>) => place && this.#go({ ...place, ...change });
    return html`
      <div class="controls">
        <label>Board <select id="rule" @change=${(e: Event) => this.#chooseRule((e.target as HTMLSelectElement).value)}>
          ${this.rules.map(({ rule }) => html`<option value=${rule} ?selected=${rule === place?.rule}>${rule}</option>`)}
          ${place && !this.rules.some(({ rule }) => rule === place.rule) ? html`<option value=${place.rule} selected>${place.rule}</option>` : nothing}</select></label>
        <label>Period <select id="period" @change=${(e: Event) => move({ period: (e.target as HTMLSelectElement).value })}>
          ${periods.map((period) => html`<option value=${period} ?selected=${period === place?.period}>${periodName(period)}</option>`)}</select></label>
        <form class="follow" @submit=${(e: SubmitEvent) => this.#follow(e)}>
          <label>Follow a user <input id="user" name="user" autocomplete="off" spellcheck="false" placeholder="User id" .value=${place?.user ?? ""}></label>
          <button>Follow</button>
        </form>
        ${place?.user ? html`
          <div class="choice" role="group" aria-label="Which rows">
            <button aria-pressed=${place.around ? "false" : "true"} @click=${() => move({ around: false })}>Top</button>
            <button aria-pressed=${place.around ? "true" : "false"} @click=${() => move({ around: true })}>Around ${place.user}</button>
          </div>` : nothing}
      </div>`;
  }

  #chooseRule(rule: string): void {
    const cycles = this.rules.find((r) => r.rule === rule)?.cycles.map(({ cycle }) => cycle) ?? [];
    const wanted = this.place?.period ?? "";
    this.#go({ ...this.place!, rule, segment: undefined, period: cycles.includes(wanted.split("~")[0]!) ? wanted : (cycles[0] ?? "all") });
  }

  #follow(event: SubmitEvent): void {
    event.preventDefault();
    const user = this.querySelector<HTMLInputElement>("#user")!.value.trim();
    if (this.place) this.#go({ ...this.place, user: user || undefined, around: user ? this.place.around : false });
  }

  #mine() {
    const me = this.me!;
    return html`
      <aside class="mine" aria-label="Where ${me.profile?.name ?? me.user} is">
        <span class="rank">#${number(me.rank)}</span><bdi>${me.profile?.name ?? me.user}</bdi><span class="score">${number(me.score)}</span>
        <button @click=${() => this.#list.reveal(me.user) || this.#go({ ...this.place!, around: true })}>Show</button>
      </aside>`;
  }

  #details(user: string) {
    const row = this.board?.rows.find((r) => r.user === user);
    return html`
      <dialog aria-labelledby="details-name" @close=${() => (this.chosen = undefined)} @click=${(e: Event) => e.target === e.currentTarget && (e.target as HTMLDialogElement).close()}>
        <div class="inside">
          <header>
            <div><h2 id="details-name"><bdi>${row?.profile?.name ?? user}</bdi></h2>
              <p class="soft small">${row ? html`Rank ${number(row.rank)} with ${number(row.score)}, reached ${moment(row.reached_at)}` : "Not among the rows that are shown"}</p></div>
            <form method="dialog"><button class="plain" aria-label="Close">✕</button></form>
          </header>
          <laurel-history .rest=${this.session!.rest} .of=${this.#historyOf(user)}></laurel-history>
          <div><button @click=${() => this.#go({ ...this.place!, user })} ?hidden=${this.place?.user === user}>Follow on this board</button></div>
        </div>
      </dialog>`;
  }

  #shown: HistoryOf | undefined;

  // The same object for the same question, so that it is asked once.
  #historyOf(user: string) {
    const next = { rule: this.place!.rule, segment: this.place!.segment, cycle: this.#cycle() ?? "all", user };
    if (JSON.stringify(next) !== JSON.stringify(this.#shown)) this.#shown = next;
    return this.#shown;
  }

  protected override updated(): void {
    document.title = this.place ? `${this.place.rule}, ${periodName(this.place.period).toLowerCase()} · Laurel` : "Live boards · Laurel";
    const dialog = this.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
}

const said: Record<string, string> = { pending: "Connecting", live: "Live", stale: "Reconnecting", old: "May be out of date", ended: "Stopped" };

setTheme(theme());
takeKeyFromAddress();
customElements.define("laurel-live", Live);
