import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import "../../shared/countdown.js";
import type { Session } from "../../shared/session.js";
import { number } from "../../shared/text.js";
import { firstShown, gridOf, heat, lastPlace, moved, placeOf, type Cell, type Entry, type Grid, type Place } from "./calendar.js";
import { explainedView } from "./explained.js";
import { Latest } from "./latest.js";
import { cellName, firstWeekday, labelName, lengthName, monthName, statuses, weekdayName, zoned, type Status } from "./periods.js";

type Streak = components["schemas"]["Streak"];
type Explained = components["schemas"]["Explained"];

const states: Record<Streak["state"], readonly [name: string, look: string]> = {
  active: ["Active", ""], at_risk: ["At risk", "warn"], frozen: ["Frozen", "quiet"], paused: ["Paused", "quiet"], broken: ["Lost", "bad"], none: ["Not begun", "quiet"],
};

/**
 * One streak of a user: what it comes to, how long there is to keep it, its last year as a calendar, and why a period is what it is. The calendar is read when it is
 * about to be seen, and again whenever the user has changed while it is.
 */
export class StreakYear extends LitElement {
  static override properties = {
    session: { attribute: false }, user: {}, streak: { attribute: false }, fresh: { attribute: false }, entries: { state: true }, seen: { state: true }, problem: { state: true },
    at: { state: true }, chosen: { state: true }, explained: { state: true }, untold: { state: true },
  };
  declare session: Session;
  declare user: string;
  declare streak: Streak;
  declare fresh: number;
  declare protected entries: readonly Entry[] | undefined;
  declare protected seen: boolean;
  declare protected problem: string | undefined;
  /** Where the keyboard is in the calendar; undefined: at its end. */
  declare protected at: string | undefined;
  /** The period that is explained. */
  declare protected chosen: string | undefined;
  /** What the server says of it; null: nothing. */
  declare protected explained: Explained | null | undefined;
  declare protected untold: string | undefined;
  readonly #firstDay = firstWeekday();
  readonly #reading = new Latest((signal) => this.#read(signal));
  readonly #explaining = new Latest((signal) => this.#explain(signal));
  readonly #observer = new IntersectionObserver((list) => (this.seen = list.some(({ isIntersecting }) => isIntersecting)), { rootMargin: "200px" });
  #as = -1; // of which `fresh` the entries are

  constructor() {
    super();
    [this.fresh, this.seen] = [0, false];
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.seen = false;
    this.#reading.stop();
    this.#explaining.stop();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!(changed.has("fresh") || changed.has("seen") || changed.has("streak")) || !this.seen || this.#as === this.fresh || this.streak.opted_out) return;
    this.#reading.ask();
    if (this.chosen) this.#explaining.ask();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { fresh, user, streak } = this;
    try {
      const { history } = await this.session.rest.get("/v1/users/{user}/streaks/{rule}/history", { path: { user, rule: streak.rule }, query: { from: firstShown(streak.period.label, this.#firstDay) }, signal });
      [this.entries, this.problem, this.#as] = [history, undefined, fresh];
    } catch (err) {
      if (!signal.aborted) this.problem = messageOf(err);
    }
  }

  async #explain(signal: AbortSignal): Promise<void> {
    const { chosen, user, streak } = this;
    if (!chosen) return;
    try {
      const { periods } = await this.session.rest.get("/v1/users/{user}/streaks/{rule}/explain", { path: { user, rule: streak.rule }, query: { from: chosen, to: chosen }, signal });
      [this.explained, this.untold] = [periods.find(({ period }) => period === chosen) ?? null, undefined];
    } catch (err) {
      if (!signal.aborted) this.untold = messageOf(err);
    }
  }

  #choose(cell: Cell): void {
    this.at = cell.label;
    if (this.chosen === cell.label) return;
    [this.chosen, this.explained, this.untold] = [cell.label, undefined, undefined];
    this.#explaining.restart();
  }

  #fold(): void {
    this.#explaining.stop();
    this.chosen = undefined;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("td[tabindex='0']")?.focus());
  }

  #press(event: KeyboardEvent, grid: Grid, here: Place): void {
    const cell = grid.rows[here.row]?.[here.column];
    if (event.ctrlKey || event.metaKey || event.altKey || !cell) return;
    if (event.key === "Enter" || event.key === " ") this.#choose(cell);
    else if (event.key === "Escape" && this.chosen) this.#fold();
    else if (!this.#move(event.key, grid, here)) return;
    event.preventDefault();
  }

  #move(key: string, grid: Grid, here: Place): boolean {
    const mirrored: Record<string, string> = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" };
    const to = moved(grid, here, getComputedStyle(this).direction === "rtl" ? (mirrored[key] ?? key) : key);
    const cell = to && grid.rows[to.row]?.[to.column];
    if (!cell) return false;
    this.at = cell.label;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("td[tabindex='0']")?.focus());
    return true;
  }

  protected override render() {
    const { streak } = this;
    const id = `streak-${streak.rule}`;
    const [state, look] = states[streak.state];
    return html`
      <section class="card streak" aria-labelledby=${id}>
        <header><h2 id=${id}>${streak.rule}</h2>
          ${streak.opted_out ? html`<span class="badge quiet">Opted out</span>` : html`<span class="badge ${look}">${state}</span>`}
          ${streak.pending ? html`<span class="badge warn">Being counted anew</span>` : nothing}</header>
        ${streak.opted_out ? html`<p class="soft">The user opted out: no such streak is counted.</p>` : html`${this.#figures()}${this.#year()}${this.#why()}`}
      </section>`;
  }

  #figures() {
    const { streak } = this;
    const { freezes, period, longest_span: span, lost } = streak;
    const unit = (n: number) => lengthName(n, streak.unit);
    return html`
      <dl class="figures">
        <div><dt>Current</dt><dd><strong>${number(streak.current)}</strong> ${unit(streak.current)}</dd>
          <dd class="soft small">${period.met ? "Done" : "Now"}: ${number(period.value)} of ${number(period.target)}${streak.target !== undefined ? " (own target)" : ""}</dd></div>
        <div><dt>Longest</dt><dd><strong>${number(streak.longest)}</strong> ${unit(streak.longest)}</dd>
          ${span ? html`<dd class="soft small">${span.start === span.end ? labelName(span.start) : html`<span class="nowrap">${span.start} –</span> <span class="nowrap">${span.end}</span>`}</dd>` : nothing}</div>
        ${freezes.max === 0 ? nothing : html`<div><dt>Freezes left</dt><dd><strong>${number(freezes.held)}</strong> of ${number(freezes.max)}</dd><dd class="soft small">${number(freezes.used)} used</dd></div>`}
        <div><dt>Met in all</dt><dd><strong>${number(streak.total_periods)}</strong> ${unit(streak.total_periods)}</dd></div>
        ${this.#deadline()}
      </dl>
      ${lost ? html`<p class="soft small">The last one ended on ${zoned(lost.at, streak.timezone)} after ${number(lost.length)} ${unit(lost.length)}${lost.restorable_until ? html`; it can be restored until ${zoned(lost.restorable_until, streak.timezone)}` : nothing}.</p>` : nothing}`;
  }

  #deadline() {
    const { deadline, dies_at: dies, timezone, state } = this.streak;
    if (!deadline) return nothing;
    return html`
      <div class="deadline ${state === "at_risk" ? "risk" : ""}"><dt>Deadline</dt>
        <dd><strong class="left"><laurel-countdown .until=${deadline}></laurel-countdown></strong></dd>
        <dd class="soft small">${zoned(deadline, timezone)}${dies && dies !== deadline ? html`<br>with freezes ${zoned(dies, timezone)}` : nothing}</dd></div>`;
  }

  #year() {
    const { entries, streak } = this;
    if (this.problem) return html`<p class="notice bad" role="alert">${this.problem} <button class="link" @click=${() => this.#reading.restart()}>Try again</button></p>`;
    if (!entries) return html`<div class="year waiting soft small" role="status">Reading the last year</div>`;
    const grid = gridOf(entries, streak.period.label, this.#firstDay);
    if (!grid.rows[0]?.length) return html`<p class="soft">Nothing was done for it yet.</p>`;
    const here = (this.at && placeOf(grid, this.at)) || lastPlace(grid);
    const wide = grid.rows.length === 1 && grid.rows[0].length <= 27;
    return html`
      <div class="year scroll">
        <table role="grid" aria-label="${streak.rule}, the last year" class=${wide ? "wide" : ""} @keydown=${(e: KeyboardEvent) => this.#press(e, grid, here)}>
          <thead><tr>${grid.firstDay === undefined ? nothing : html`<td></td>`}${grid.months.map(({ month, span }) => html`<th scope="colgroup" colspan=${span}>${span > 1 || wide ? monthName(month) : nothing}</th>`)}</tr></thead>
          <tbody>${grid.rows.map((cells, row) => html`<tr>
            ${grid.firstDay === undefined ? nothing : html`<th scope="row"><span class=${row % 2 ? "sr" : ""}>${weekdayName((grid.firstDay + row) % 7)}</span></th>`}
            ${cells.map((cell, column) => this.#cell(cell, row === here.row && column === here.column))}</tr>`)}</tbody>
        </table>
      </div>
      ${legend(entries)}`;
  }

  #cell(cell: Cell | undefined, here: boolean) {
    if (!cell) return html`<td class="later"></td>`;
    const { entry, label } = cell;
    const look = !entry ? "before" : entry.status === "met" ? `met heat${heat(entry)}` : entry.status;
    const name = cellName(cell);
    return html`<td class=${look} tabindex=${here ? "0" : "-1"} title=${name} aria-label=${name} aria-selected=${label === this.chosen ? "true" : "false"} aria-current=${label === this.streak.period.label ? "date" : nothing} @click=${() => this.#choose(cell)}></td>`;
  }

  #why() {
    const { chosen, explained, untold } = this;
    const said = chosen === undefined ? "" : untold ?? (explained === undefined ? "" : (explained?.why ?? "The server knows nothing of it."));
    return html`
      <p class="sr" role="status">${said}</p>
      ${chosen === undefined ? nothing : html`
        <section class="why" aria-labelledby="why-${this.streak.rule}">
          <header><h3 id="why-${this.streak.rule}">${labelName(chosen)}</h3><button class="plain" aria-label="Fold the explanation" @click=${() => this.#fold()}>✕</button></header>
          ${untold ? html`<p class="notice bad">${untold}</p>` : html`<p class="sentence">${said || "Asking why"}</p>`}
          ${explained && !untold ? explainedView(explained, this.streak.unit) : nothing}
        </section>`}`;
  }
}

/** The statuses that a calendar shows, with what they look like. */
function legend(entries: readonly Entry[]) {
  const there = new Set<string>(entries.map(({ status }) => status));
  return html`<ul class="legend small soft">${(Object.keys(statuses) as Status[]).filter((status) => there.has(status)).map((status) => html`<li>${status === "met" ? [1, 2, 3].map((n) => html`<span class="mark met heat${n}" aria-hidden="true"></span>`) : html`<span class="mark ${status}" aria-hidden="true"></span>`}${statuses[status]}</li>`)}</ul>`;
}

const messageOf = (err: unknown): string => (err instanceof Problem || err instanceof Error ? err.message : String(err));

customElements.define("laurel-streak-year", StreakYear);
