import type { Row } from "@laurel/client";
import { initials, moment, number, pictureOf } from "../shared/text.js";
import { flip } from "./flip.js";
import { arrange } from "./keyed.js";
import { Moves } from "./moves.js";
import { windowOf, type Span } from "./window.js";

interface Parts {
  readonly row: HTMLElement;
  readonly rank: HTMLElement;
  readonly move: HTMLElement;
  readonly avatar: HTMLElement;
  readonly name: HTMLElement;
  readonly bar: HTMLElement;
  readonly change: HTMLElement;
  readonly score: HTMLElement;
  readonly reached: HTMLTimeElement;
  picture: string | undefined;
}

export interface BoardListOptions {
  /** A row was chosen. */
  readonly choose: (user: string) => void;
  /** What the column of changes is called: since which period; "" for a board that has no period before. */
  readonly since: () => string;
}

const spare = 12; // rows outside of what is seen, so that scrolling by a little shows no gap
const movedMs = 4_000;

/**
 * The rows of a board in the page: all of them can be scrolled to, those that are seen are there, and those that change places are seen to do so. Rows have one
 * height, `--row`, so that where a row is follows from its index. To readers that see no pixels it is a table of all rows.
 */
export class BoardList {
  readonly element: HTMLElement;
  readonly #head: HTMLElement;
  readonly #body: HTMLElement;
  readonly #options: BoardListOptions;
  readonly #parts = new Map<string, Parts>();
  readonly #moves = new Moves(movedMs);
  readonly #observer: ResizeObserver;
  #rows: readonly Row[] = [];
  #places = new Map<string, number>();
  #span: Span = { first: 0, end: 0 };
  #rowHeight = 56;
  #best = 0;
  #me: string | undefined;
  #drawing = 0;
  #expiring = 0;

  constructor(options: BoardListOptions) {
    this.#options = options;
    this.#body = box("rows", { role: "rowgroup" });
    this.#head = box("row head", { role: "row" });
    this.element = box("board", { role: "table" });
    const group = box("heads", { role: "rowgroup" });
    group.append(this.#head);
    this.element.append(group, this.#body);
    this.#observer = new ResizeObserver(() => this.#measure());
  }

  /** Follows the page's scrolling and size, until `stop`. */
  start(): void {
    addEventListener("scroll", this.#schedule, { passive: true });
    addEventListener("resize", this.#schedule, { passive: true });
    this.#observer.observe(this.element);
    this.#expiring = window.setInterval(() => {
      if (this.#moves.expire(performance.now())) this.#draw();
    }, 500);
    this.#measure();
  }

  stop(): void {
    removeEventListener("scroll", this.#schedule);
    removeEventListener("resize", this.#schedule);
    this.#observer.disconnect();
    clearInterval(this.#expiring);
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
  }

  /** Begins with another board: nobody has moved yet. */
  clear(): void {
    this.#moves.clear();
    this.#parts.clear();
    this.#body.replaceChildren();
    this.#rows = [];
    this.#places.clear();
  }

  /** Shows these rows. `name` says what of, to those that see no pixels. */
  show(rows: readonly Row[], total: number, name: string, me: string | undefined): void {
    const before = this.#places;
    this.#rows = rows;
    this.#me = me;
    this.#places = new Map(rows.map((row, i) => [row.user, i]));
    this.#best = rows.reduce((most, row) => Math.max(most, row.score), 0);
    this.#moves.take(rows, performance.now());
    this.element.setAttribute("aria-label", name);
    this.element.setAttribute("aria-rowcount", String(total + 1));
    this.element.classList.toggle("alone", this.#options.since() === "");
    this.#fillHead();
    const top = this.#body.getBoundingClientRect().top;
    const from = (user: string) => {
      const at = before.get(user);
      return at === undefined ? undefined : top + at * this.#rowHeight;
    };
    flip(() => new Map([...this.#parts].map(([user, { row }]) => [user, row])), () => this.#draw(), { from, reach: innerHeight });
  }

  /** Brings a user's row into sight. False: it is not among the rows. */
  reveal(user: string): boolean {
    const at = this.#places.get(user);
    if (at === undefined) return false;
    const top = this.#body.getBoundingClientRect().top + scrollY + at * this.#rowHeight;
    scrollTo({ top: top - innerHeight / 2 });
    return true;
  }

  /** Whether a user's row can be seen. */
  sees(user: string): boolean {
    const at = this.#places.get(user);
    if (at === undefined) return false;
    const top = this.#body.getBoundingClientRect().top + at * this.#rowHeight;
    return top >= 0 && top + this.#rowHeight <= innerHeight;
  }

  readonly #schedule = (): void => {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw();
    });
  };

  #measure(): void {
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue("--row-height"));
    this.#rowHeight = Number.isFinite(height) && height > 0 ? height : 56;
    this.#schedule();
  }

  #fillHead(): void {
    const names = ["Rank", "Name", this.#options.since(), "Score", "Reached"];
    const classes = ["rank", "name", "change", "score", "reached"];
    if (this.#head.childElementCount === 0) this.#head.append(...classes.map((name) => box(name, { role: "columnheader" })));
    names.forEach((name, i) => setText(this.#head.children[i]!, name));
    this.#head.setAttribute("aria-rowindex", "1");
  }

  #draw(): void {
    const { top } = this.#body.getBoundingClientRect();
    this.#span = windowOf(-top, innerHeight, this.#rowHeight, this.#rows.length, spare);
    this.#body.style.blockSize = `${this.#rows.length * this.#rowHeight}px`;
    const gone = new Set(this.#parts.keys());
    const list: HTMLElement[] = [];
    for (let i = this.#span.first; i < this.#span.end; i++) {
      const row = this.#rows[i]!;
      gone.delete(row.user);
      let parts = this.#parts.get(row.user);
      if (!parts) this.#parts.set(row.user, (parts = this.#made(row.user)));
      this.#fill(parts, row, i);
      list.push(parts.row);
    }
    for (const user of gone) this.#parts.delete(user);
    arrange(this.#body, list);
  }

  #fill(parts: Parts, row: Row, i: number): void {
    const top = `${i * this.#rowHeight}px`;
    if (parts.row.style.insetBlockStart !== top) parts.row.style.insetBlockStart = top;
    parts.row.setAttribute("aria-rowindex", String(i + 2));
    parts.row.classList.toggle("me", row.user === this.#me);
    parts.row.classList.toggle("podium", row.rank <= 3);
    const by = this.#moves.of(row.user);
    parts.row.classList.toggle("rose", by > 0);
    parts.row.classList.toggle("sank", by < 0);
    setText(parts.rank, number(row.rank));
    setText(parts.move, by === 0 ? "" : `${by > 0 ? "▲" : "▼"}${number(Math.abs(by))}`);
    const name = row.profile?.name ?? row.user;
    setText(parts.name, name);
    this.#fillAvatar(parts, name, pictureOf(row.profile?.picture));
    const share = this.#best > 0 ? Math.max(0, Math.min(1, row.score / this.#best)) : 0;
    parts.bar.style.transform = `scaleX(${share.toFixed(4)})`;
    fillChange(parts.change, row);
    setText(parts.score, number(row.score));
    if (parts.reached.dateTime !== row.reached_at) {
      parts.reached.dateTime = row.reached_at;
      setText(parts.reached, moment(row.reached_at));
    }
  }

  #fillAvatar(parts: Parts, name: string, picture: string | undefined): void {
    if (picture !== parts.picture) {
      parts.picture = picture;
      parts.avatar.replaceChildren();
      if (picture) {
        const img = document.createElement("img");
        Object.assign(img, { src: picture, alt: "", loading: "lazy", referrerPolicy: "no-referrer", className: "avatar" });
        parts.avatar.append(img);
      }
    }
    if (!picture) setText(parts.avatar, initials(name));
  }

  #made(user: string): Parts {
    const cell = (name: string, role = "cell") => box(name, { role });
    const row = box("row", { role: "row" });
    const [rankCell, nameCell, change, score, reachedCell] = [cell("rank"), cell("name", "rowheader"), cell("change"), cell("score"), cell("reached")];
    const [rank, move, avatar, bar] = [span(""), span("move"), span("avatar"), span("bar")];
    for (const decoration of [move, avatar, bar]) decoration.setAttribute("aria-hidden", "true");
    const reached = document.createElement("time");
    const name = document.createElement("button");
    name.className = "link";
    name.dir = "auto";
    name.addEventListener("click", () => this.#options.choose(user));
    rankCell.append(rank, move);
    nameCell.append(avatar, name, bar);
    reachedCell.append(reached);
    row.append(rankCell, nameCell, change, score, reachedCell);
    return { row, rank, move, avatar, name, bar, change, score, reached, picture: undefined };
  }
}

/** The change since the period before, in a form that needs neither colour nor an arrow to be understood. */
function fillChange(cell: HTMLElement, row: Row): void {
  const by = row.previous_rank === undefined ? undefined : row.previous_rank - row.rank;
  cell.classList.toggle("up", (by ?? 0) > 0);
  cell.classList.toggle("down", (by ?? 0) < 0);
  setText(cell, by === undefined ? "new" : by === 0 ? "=" : `${by > 0 ? "+" : "−"}${number(Math.abs(by))}`);
  cell.title = row.previous_rank === undefined ? "Not ranked in the period before" : `Rank ${number(row.previous_rank)} in the period before`;
}

function box(name: string, attributes: Record<string, string>): HTMLElement {
  const element = document.createElement("div");
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function span(name: string): HTMLElement {
  const element = document.createElement("span");
  element.className = name;
  return element;
}

function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
