import { html } from "lit";
import type { components } from "../../api/schema.gen.js";
import type { HistoryOf } from "../../shared/history.js";
import { number, periodName } from "../../shared/text.js";
import { dash, empty, heading } from "./parts.js";
import { UserTab } from "./tab.js";

type Rule = components["schemas"]["LeaderboardRule"];
type Rank = components["schemas"]["BoardRank"];

/** A board, and the user's place on it if there is one. */
interface Place {
  readonly rule: string;
  readonly cycle: string;
  readonly segment: string | undefined;
  readonly rank: Rank | undefined;
}

/** The user's place on every board there is, with what has changed since the period before, and how one of them went. */
export class UserLeaderboards extends UserTab<readonly Rule[]> {
  static override properties = { ...UserTab.properties, chosen: { state: true } };
  declare chosen: HistoryOf | undefined;

  protected override async read(signal: AbortSignal): Promise<readonly Rule[]> {
    return (await this.session.rest.get("/v1/leaderboards", { signal })).leaderboards;
  }

  // The chart is half of the console's script: it comes when it is first shown.
  override connectedCallback(): void {
    super.connectedCallback();
    void import("../../shared/history.js");
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    super.willUpdate(changed);
    const ranks = this.person?.ranks ?? [];
    const first = ranks.find(({ cycle, segment }) => cycle !== "all" && segment === undefined);
    if (!this.chosen && first) this.chosen = { rule: first.rule, cycle: first.cycle, user: this.user };
    const { rule, cycle, segment } = this.chosen ?? {};
    const now = ranks.find((r) => r.rule === rule && r.cycle === cycle && r.segment === segment);
    const as = now && `${now.label} ${now.rank} ${now.score}`;
    if (as !== this.#as && this.chosen) [this.#as, this.chosen] = [as, { ...this.chosen }]; // another object is read anew
  }

  #as: string | undefined; // how the user stands on the chosen board

  protected override show() {
    const places = placesOf(this.person!.ranks, this.data!);
    if (places.length === 0) return empty("The catalog has no rules yet.");
    return html`<div class="split boards-split">
      <div class="card scroll"><table class="table stack"><caption class="sr">Leaderboards</caption>
        <thead><tr><th scope="col">Board</th><th scope="col">Period</th><th scope="col" class="number">Position</th><th scope="col" class="number">Change</th><th scope="col" class="number">Score</th></tr></thead>
        <tbody>${places.map((place) => this.#place(place))}</tbody></table></div>
      <section class="card chart-card" aria-labelledby="went">${this.chosen ? html`${heading("went", `${this.chosen.rule}, by ${this.chosen.cycle}`, html`<a class="small" href="/live/${encodeURIComponent(this.chosen.rule)}/${encodeURIComponent(this.chosen.cycle)}?user=${encodeURIComponent(this.user)}">Live board</a>`)}
        <laurel-history .rest=${this.session.rest} .of=${this.chosen}></laurel-history>` : html`<p class="soft" id="went">Choose a board to see how it went.</p>`}</section>
    </div>`;
  }

  #place({ rule, cycle, segment, rank }: Place) {
    const shown = this.chosen?.rule === rule && this.chosen.cycle === cycle && this.chosen.segment === segment;
    return html`<tr class=${shown ? "chosen" : ""}>
      <th scope="row"><button class="link" aria-pressed=${shown ? "true" : "false"} @click=${() => (this.chosen = { rule, segment, cycle, user: this.user })}>${rule}${segment ? ` @ ${segment}` : ""}</button></th>
      <td class="soft" data-label="Period">${periodName(cycle)}</td>
      <td class="number" data-label="Position">${rank ? html`<strong>${number(rank.rank)}</strong> <span class="soft small">of ${number(rank.total)}</span>` : html`<span class="soft small">Not ranked</span>`}</td>
      <td class="number" data-label="Change">${rank ? change(rank) : dash}</td><td class="number" data-label="Score">${rank ? number(rank.score) : dash}</td></tr>`;
  }
}

function change({ rank, previous_rank, cycle }: Rank) {
  if (previous_rank === undefined) return cycle === "all" ? dash : html`<span class="soft small" title="Not ranked in the period before">New</span>`;
  const by = previous_rank - rank;
  if (by === 0) return html`<span class="soft" title="As in the period before">=</span>`;
  return html`<span class=${by > 0 ? "up" : "down"} title="Was ${number(previous_rank)}"><span aria-hidden="true">${by > 0 ? "▲" : "▼"}</span><span class="sr">${by > 0 ? "up" : "down"}</span> ${number(Math.abs(by))}</span>`;
}

// In the order of the catalog; what is ranked but is no rule's, such as streaks, comes after.
function placesOf(ranks: readonly Rank[], rules: readonly Rule[]): Place[] {
  const places: Place[] = [];
  const taken = new Set<Rank>();
  for (const { rule, cycles } of rules) {
    for (const { cycle } of cycles) {
      const mine = ranks.filter((r) => r.rule === rule && r.cycle === cycle);
      for (const rank of mine) taken.add(rank);
      if (!mine.some((r) => r.segment === undefined)) places.push({ rule, cycle, segment: undefined, rank: undefined });
      for (const rank of mine) places.push({ rule, cycle, segment: rank.segment, rank });
    }
  }
  for (const rank of ranks) if (!taken.has(rank)) places.push({ rule: rank.rule, cycle: rank.cycle, segment: rank.segment, rank });
  return places;
}

customElements.define("laurel-user-leaderboards", UserLeaderboards);
