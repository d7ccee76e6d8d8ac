import type { BoardState, Laurel, Row, View } from "@laurel/client";
import { flip } from "../board/flip.js";
import { arrange } from "../board/keyed.js";
import { Moves } from "../board/moves.js";
import { el, setText } from "./dom.js";
import { LaurelElement, common, define } from "./element.js";

const css = `
table { inline-size: 100%; border-collapse: collapse; }
caption { padding: .8em 1em; text-align: start; font-weight: 600; }
caption:empty { display: none; }
th, td { padding: .5em 1em; font-weight: 400; text-align: start; border-block-start: 1px solid var(--_line); }
thead th { padding: .4em calc(1em / .8125); font-size: .8125em; font-weight: 400; color: var(--_soft); }
table > thead:first-child th, caption:empty + thead th { border-block-start: 0; }
.rank { inline-size: 1%; white-space: nowrap; }
tbody .rank, tbody .score { font-weight: 600; }
.rank .move { display: inline-block; min-inline-size: 2.2em; margin-inline-start: .4em; }
.score { inline-size: 1%; white-space: nowrap; text-align: end; }
tbody tr { background: var(--_ground); }
tbody tr.me { background: var(--_tint); }
tbody tr.apart > * { border-block-start: 2px dotted var(--_soft); }
.rank.high { color: var(--_accent); }
.name { display: flex; gap: .6em; align-items: center; }
img { inline-size: 1.6em; block-size: 1.6em; border-radius: 50%; object-fit: cover; flex: none; background: var(--_tint); }
.none { padding: 1.2em 1em; text-align: center; }
.ghost { display: block; block-size: 1em; border-radius: .3em; background: var(--_line); }
`;

interface Parts {
  readonly row: HTMLTableRowElement;
  readonly rank: HTMLElement;
  readonly move: HTMLElement;
  readonly moveText: HTMLElement;
  readonly name: HTMLElement;
  readonly score: HTMLElement;
  readonly cell: HTMLElement;
  picture: HTMLImageElement | undefined;
}

const shownMs = 4_000;

/** `<laurel-leaderboard rule period limit user segment pictures>`: the first rows of a board, and where the reader is. */
export class LaurelLeaderboard extends LaurelElement<BoardState> {
  static readonly observedAttributes = [...common, "rule", "period", "limit", "user", "segment", "pictures"];
  readonly #caption = el("caption", { part: "heading" });
  readonly #head = el("tr");
  readonly #rows = el("tbody");
  readonly #none = el("p", { class: "none soft", part: "empty", hidden: "" });
  readonly #parts = new Map<string, Parts>();
  readonly #moves = new Moves(shownMs);
  #top: BoardState | undefined;
  #me: Row | undefined;
  #leader: string | undefined;
  #label = "";

  constructor() {
    super(css, el("div", { part: "board" }));
    this.body.append(el("table", { part: "table" }, this.#caption, el("thead", {}, this.#head), this.#rows), this.#none);
  }

  protected watch(client: Laurel): View<BoardState> | undefined {
    const rule = this.attribute("rule");
    if (!rule) return undefined;
    const segment = this.attribute("segment");
    const board = { rule, period: this.attribute("period") ?? "all", fields: ["profile" as const], ...(segment ? { segment } : {}) };
    const user = this.attribute("user");
    if (user) this.#watchMe(client.users({ ...board, users: [user] }, { max_hz: 2 }));
    const expire = setInterval(() => this.#moves.expire(performance.now()) && this.#top && this.paint(this.#top), 1_000);
    this.onEnd(() => clearInterval(expire));
    return client.top({ ...board, limit: Number(this.attribute("limit") ?? 10) }, { max_hz: 5 });
  }

  #watchMe(view: View<BoardState>): void {
    this.onEnd(() => view.close());
    view.on("change", ({ rows }) => {
      if (rows[0] && this.#me && rows[0].rank !== this.#me.rank) this.say(this.word("youAre", { n: this.number(rows[0].rank) }));
      this.#me = rows[0];
      if (this.#top) this.paint(this.#top);
    });
  }

  protected paint(state: BoardState | undefined): void {
    if (!state) this.#me = undefined;
    this.#top = state;
    setText(this.#caption, this.attribute("heading") ?? "");
    if (this.#head.childElementCount === 0) for (const name of ["rank", "user", "score"]) this.#head.append(el("th", { scope: "col", class: name }));
    (["rank", "user", "score"] as const).forEach((name, i) => setText(this.#head.children[i]!, this.word(name)));
    this.#none.hidden = !state || state.rows.length > 0;
    setText(this.#none, this.word("empty"));
    if (!state) {
      this.#parts.clear();
      this.#moves.clear();
      this.#leader = undefined;
      this.#rows.replaceChildren(...ghosts(Number(this.attribute("limit") ?? 10)));
      return;
    }
    if (state.period.label !== this.#label) this.#moves.clear(); // another period: nobody has moved in it
    this.#label = state.period.label;
    const apart = this.#me && !state.rows.some((row) => row.user === this.#me!.user) ? this.#me : undefined;
    const rows = apart ? [...state.rows, apart] : state.rows;
    this.#moves.take(rows, performance.now());
    flip(() => this.#elements(), () => this.#fill(rows, apart));
    this.#announce(state.rows[0]);
  }

  #elements(): Map<string, HTMLElement> {
    return new Map([...this.#parts].map(([user, { row }]) => [user, row]));
  }

  #fill(rows: readonly Row[], apart: Row | undefined): void {
    const gone = new Set(this.#parts.keys());
    const list = rows.map((row) => {
      gone.delete(row.user);
      const parts = this.#parts.get(row.user) ?? made();
      this.#parts.set(row.user, parts);
      this.#fillRow(parts, row);
      parts.row.classList.toggle("apart", row === apart);
      return parts.row;
    });
    for (const user of gone) this.#parts.delete(user);
    arrange(this.#rows, list);
  }

  #fillRow(parts: Parts, row: Row): void {
    const mine = row.user === this.attribute("user");
    setText(parts.rank, this.number(row.rank));
    parts.cell.classList.toggle("high", row.rank <= 3);
    const by = this.#moves.of(row.user);
    setText(parts.move, by === 0 ? "" : (by > 0 ? "▲" : "▼") + this.number(Math.abs(by)));
    parts.move.className = by > 0 ? "move up" : "move down";
    setText(parts.moveText, by === 0 ? "" : this.word(by > 0 ? "up" : "down", { n: this.number(Math.abs(by)) }));
    setText(parts.name, row.profile?.name ?? row.user);
    setText(parts.score, this.number(row.score));
    parts.row.classList.toggle("me", mine);
    parts.row.part.toggle("me", mine);
    if (mine) parts.row.setAttribute("aria-current", "true");
    else parts.row.removeAttribute("aria-current");
    this.#fillPicture(parts, row.profile?.picture);
  }

  // A picture's address comes from a user's profile: only what is fetched as a picture, from where no address of this page is told, is let in.
  #fillPicture(parts: Parts, address: string | undefined): void {
    const good = this.hasAttribute("pictures") && address && /^https?:\/\//.test(address) ? address : undefined;
    if (good === parts.picture?.getAttribute("src")) return;
    parts.picture?.remove();
    parts.picture = good ? el("img", { src: good, alt: "", loading: "lazy", referrerpolicy: "no-referrer", part: "picture" }) : undefined;
    if (parts.picture) parts.name.before(parts.picture);
  }

  #announce(first: Row | undefined): void {
    const leader = first?.user;
    if (first && this.#leader !== undefined && leader !== this.#leader) {
      this.say(this.word("leads", { name: first.profile?.name ?? first.user, n: this.number(first.score) }));
    }
    this.#leader = leader ?? "";
  }
}

function made(): Parts {
  const rank = el("span");
  const move = el("span", { "aria-hidden": "true" });
  const moveText = el("span", { class: "sr" });
  const name = el("bdi", { part: "name" });
  const score = el("td", { class: "score", part: "score" });
  const cell = el("td", { class: "rank", part: "rank" }, rank, move, moveText);
  const row = el("tr", { part: "row" }, cell, el("th", { scope: "row" }, el("span", { class: "name" }, name)), score);
  return { row, rank, move, moveText, name, score, cell, picture: undefined };
}

function ghosts(n: number): HTMLElement[] {
  return Array.from({ length: Math.min(n, 10) }, () => el("tr", { "aria-hidden": "true" }, el("td", { colspan: "3" }, el("span", { class: "ghost" }))));
}

define("laurel-leaderboard", LaurelLeaderboard);
