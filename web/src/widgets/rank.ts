import type { BoardState, Laurel, View } from "@laurel/client";
import { el, setText } from "./dom.js";
import { LaurelElement, common, define } from "./element.js";

const css = `
:host { display: inline-block; min-inline-size: 12rem; }
.card { display: grid; gap: .1em; padding: .9em 1.1em; }
.card p { margin: 0; }
.heading { font-size: .8125em; color: var(--_soft); }
.heading:empty { display: none; }
.figure { font-size: 2em; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; }
.figure .move { font-size: .45em; margin-inline-start: .5em; letter-spacing: 0; vertical-align: .35em; }
.figure small { font-size: .45em; font-weight: 400; color: var(--_soft); letter-spacing: 0; }
`;

/** `<laurel-rank rule period user segment>`: where one user stands, what changed since the period before, and what is missing to overtake the next. */
export class LaurelRank extends LaurelElement<BoardState> {
  static readonly observedAttributes = [...common, "rule", "period", "user", "segment"];
  readonly #heading = el("p", { class: "heading", part: "heading" });
  readonly #rank = el("span", { part: "rank" });
  readonly #total = el("small");
  readonly #move = el("span", { "aria-hidden": "true" });
  readonly #moveText = el("span", { class: "sr" });
  readonly #score = el("p", { part: "score" });
  readonly #next = el("p", { class: "soft", part: "next" });
  #last: number | undefined;

  constructor() {
    super(css, el("div", { class: "card", part: "card" }));
    this.body.append(this.#heading, el("p", { class: "figure" }, this.#rank, " ", this.#total, this.#move, this.#moveText), this.#score, this.#next);
  }

  protected watch(client: Laurel): View<BoardState> | undefined {
    const [rule, user, segment] = [this.attribute("rule"), this.attribute("user"), this.attribute("segment")];
    if (!rule || !user) return undefined;
    const board = { rule, period: this.attribute("period") ?? "all", fields: ["profile" as const], ...(segment ? { segment } : {}) };
    return client.around({ ...board, user, span: 1 }, { max_hz: 2 });
  }

  protected paint(state: BoardState | undefined): void {
    setText(this.#heading, this.attribute("heading") ?? "");
    if (!state) this.#last = undefined;
    const at = state?.rows.findIndex((row) => row.user === this.attribute("user")) ?? -1;
    const own = state?.rows[at];
    const above = at > 0 ? state?.rows[at - 1] : undefined;
    setText(this.#rank, own ? `#${this.number(own.rank)}` : "–");
    setText(this.#total, state ? this.word("of", { n: this.number(state.total) }) : "");
    const by = own?.previous_rank === undefined ? 0 : own.previous_rank - own.rank;
    this.#move.className = by > 0 ? "move up" : "move down";
    setText(this.#move, by === 0 ? "" : (by > 0 ? "▲" : "▼") + this.number(Math.abs(by)));
    setText(this.#moveText, by === 0 ? "" : this.word(by > 0 ? "up" : "down", { n: this.number(Math.abs(by)) }));
    setText(this.#score, own ? `${this.word("score")} ${this.number(own.score)}` : "");
    if (!state) setText(this.#next, "");
    else if (!own) setText(this.#next, this.word("unranked"));
    else if (!above) setText(this.#next, this.word("first"));
    else setText(this.#next, this.word("toNext", { n: this.number(Math.abs(above.score - own.score)), name: above.profile?.name ?? above.user }));
    if (own && this.#last !== undefined && this.#last !== own.rank) this.say(this.word("youAre", { n: this.number(own.rank) }));
    this.#last = own?.rank;
  }
}

define("laurel-rank", LaurelRank);
