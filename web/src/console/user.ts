import type { BoardRank, LaurelError, UserState, View } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import "../shared/history.js";
import type { HistoryOf } from "../shared/history.js";
import type { Session } from "../shared/session.js";
import { initials, moment, number, periodName, pictureOf } from "../shared/text.js";
import type { RequestLog } from "./log-entries.js";

/** A user, live: who it is, the streaks, and the places on the current boards with their history. */
export class UserPage extends LitElement {
  static override properties = { session: { attribute: false }, user: {}, state: { state: true }, status: { state: true }, problem: { state: true }, chosen: { state: true } };
  declare session: Session;
  declare log: RequestLog;
  declare user: string;
  declare state: UserState | undefined;
  declare status: string;
  declare problem: LaurelError | undefined;
  declare chosen: HistoryOf | undefined;
  #view: View<UserState> | undefined;

  constructor() {
    super();
    this.status = "pending";
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const view = (this.#view = this.session.live.user(this.user));
    view.on("change", (state) => {
      this.state = state;
      this.chosen ??= first(state);
    });
    view.on("state", (status) => (this.status = view.staleSince ? "old" : status));
    view.on("error", (err) => (this.problem = err));
    view.on("snapshot", (state) => this.log.poll(`user ${this.user}`, state.user));
    view.on("delta", (delta) => this.log.poll(`user ${this.user}, what changed`, delta.user));
    view.on("event", (event) => this.log.poll(`user ${this.user}, ${event.type}`, event));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#view?.close();
  }

  protected override render() {
    const user = this.state?.user;
    const name = user?.profile?.name ?? this.user;
    const picture = pictureOf(user?.profile?.picture);
    return html`
      <nav aria-label="Breadcrumb" class="crumbs small"><a href="/console/users">Users</a> <span aria-hidden="true">/</span> <bdi>${name}</bdi></nav>
      <div class="hero">
        ${picture ? html`<img class="avatar large" src=${picture} alt="" referrerpolicy="no-referrer">` : html`<span class="avatar large" aria-hidden="true">${initials(name)}</span>`}
        <div><h1><bdi>${name}</bdi></h1><p class="soft"><bdi>${this.user}</bdi></p></div>
        <span class="badges">${user?.blocked ? html`<span class="badge bad">Blocked</span>` : nothing}${user?.hidden ? html`<span class="badge warn">Hidden</span>` : nothing}
          <span class="pulse" data-state=${this.status} role="status">${words[this.status] ?? this.status}</span></span>
      </div>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem.code === "user_not_found" ? "This organisation knows no such user." : this.problem.message}</p>` : nothing}
      ${user ? html`${this.#streaks(this.state!)}${this.#ranks(this.state!)}` : nothing}`;
  }

  #streaks({ user }: UserState) {
    if (user.streaks.length === 0) return nothing;
    return html`
      <section aria-labelledby="streaks"><h2 id="streaks">Streaks</h2>
        <ul class="tiles">${user.streaks.map((s) => html`
          <li class="card tile"><span class="soft small">${s.rule}</span><strong>${number(s.current)}</strong>
            <span class="small"><span class="badge ${s.state === "at_risk" ? "warn" : s.state === "active" ? "" : "quiet"}">${s.state.replace("_", " ")}</span> longest ${number(s.longest)}</span>
            ${s.deadline && s.current > 0 ? html`<span class="soft small">kept until ${moment(s.deadline)}</span>` : nothing}</li>`)}</ul>
      </section>`;
  }

  #ranks({ user }: UserState) {
    if (user.ranks.length === 0) return html`<p class="soft">On no board yet.</p>`;
    return html`
      <section aria-labelledby="ranks"><h2 id="ranks">Leaderboards</h2>
        <div class="split">
          <div class="card scroll"><table class="table">
            <thead><tr><th scope="col">Board</th><th scope="col">Period</th><th scope="col" class="number">Rank</th><th scope="col" class="number">Score</th></tr></thead>
            <tbody>${user.ranks.map((rank) => this.#rank(rank))}</tbody></table></div>
          <div class="card chart-card">${this.chosen ? html`<h3 class="small">${this.chosen.rule}, by ${this.chosen.cycle}</h3><laurel-history .rest=${this.session.rest} .of=${this.chosen}></laurel-history>` : nothing}</div>
        </div>
      </section>`;
  }

  #rank({ rule, segment, cycle, rank, score, previous_rank, total }: BoardRank) {
    const by = previous_rank === undefined ? 0 : previous_rank - rank;
    const shown = this.chosen?.rule === rule && this.chosen.cycle === cycle;
    return html`<tr class=${shown ? "chosen" : ""}>
      <th scope="row"><button class="link" aria-pressed=${shown ? "true" : "false"} ?disabled=${segment !== undefined} @click=${() => (this.chosen = { rule, cycle, user: this.user })}>${rule}${segment ? ` @ ${segment}` : ""}</button></th>
      <td class="soft">${periodName(cycle)}</td>
      <td class="number">${number(rank)} <span class="soft small">of ${number(total)}</span> ${by ? html`<span class=${by > 0 ? "up small" : "down small"}>${by > 0 ? "+" : "−"}${number(Math.abs(by))}</span>` : nothing}</td>
      <td class="number">${number(score)}</td></tr>`;
  }
}

const words: Record<string, string> = { pending: "Connecting", live: "Live", stale: "Reconnecting", old: "May be out of date", ended: "Stopped" };

function first({ user }: UserState): HistoryOf | undefined {
  const rank = user.ranks.find(({ cycle, segment }) => cycle !== "all" && segment === undefined);
  return rank && { rule: rank.rule, cycle: rank.cycle, user: user.id };
}

customElements.define("laurel-user", UserPage);
