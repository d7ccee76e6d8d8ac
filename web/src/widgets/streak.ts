import type { Laurel, Streak, UserState, View } from "@laurel/client";
import { left, nextTick } from "../shared/time.js";
import { el, setText } from "./dom.js";
import { LaurelElement, common, define } from "./element.js";
import type { Words } from "./words.js";

const css = `
:host { display: inline-block; min-inline-size: 14rem; }
.card { display: grid; gap: .35em; padding: .9em 1.1em; }
.card p { margin: 0; }
.heading { font-size: .8125em; color: var(--_soft); }
.heading:empty { display: none; }
.figure { font-size: 1.35em; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
.risk .left { color: var(--_warn); }
ol { display: flex; gap: .3em; margin: .2em 0; padding: 0; list-style: none; }
li { flex: 1; max-inline-size: 1.4em; block-size: .6em; border-radius: .2em; background: var(--_line); }
li.met, li.restored { background: var(--_accent); }
li.frozen { background: light-dark(#6aa5d8, #5d93c4); }
li.paused, li.inactive { background: repeating-linear-gradient(135deg, var(--_line) 0 3px, transparent 3px 6px); }
li.open { background: none; box-shadow: inset 0 0 0 1.5px var(--_accent); }
li.open.met { background: var(--_accent); }
`;

interface Period {
  readonly period: string;
  readonly status: string;
}

interface Whole extends Streak {
  readonly unit?: string;
  readonly period?: { readonly label: string; readonly met: boolean };
  readonly freezes?: { readonly held: number; readonly max: number };
  readonly history?: readonly Period[];
}

/** `<laurel-streak rule user periods>`: how long a streak is, its last periods, and how long there is to keep it. It needs a token that names the user. */
export class LaurelStreak extends LaurelElement<UserState> {
  static readonly observedAttributes = [...common, "rule", "user", "periods"];
  readonly #heading = el("p", { class: "heading", part: "heading" });
  readonly #figure = el("p", { class: "figure", part: "figure" });
  readonly #periods = el("ol", { part: "periods" });
  readonly #left = el("p", { class: "left soft", part: "left" });
  readonly #facts = el("p", { class: "soft", part: "facts" });
  #last: number | undefined;
  #cancelTick: (() => void) | undefined;

  constructor() {
    super(css, el("div", { class: "card", part: "card" }));
    this.body.append(this.#heading, this.#figure, this.#periods, this.#left, this.#facts);
  }

  protected watch(client: Laurel): View<UserState> | undefined {
    const user = this.attribute("user");
    if (!user || !this.attribute("rule")) return undefined;
    this.onEnd(() => this.#cancelTick?.());
    return client.user(user, { max_hz: 1 });
  }

  protected paint(state: UserState | undefined): void {
    setText(this.#heading, this.attribute("heading") ?? "");
    const streak = state?.user.streaks.find((s) => s.rule === this.attribute("rule")) as Whole | undefined;
    const current = streak?.current ?? 0;
    const unit: keyof Words = ({ day: "days", week: "weeks", month: "months" } as const)[streak?.unit ?? ""] ?? "periods";
    setText(this.#figure, state ? this.word(unit, { n: this.number(current) }) : this.word("loading"));
    this.body.classList.toggle("risk", streak?.state === "at_risk");
    this.#fillPeriods(streak);
    this.#facts.hidden = !streak;
    const held = streak?.freezes && streak.freezes.max > 0 ? ` · ${this.word("freezes", { n: this.number(streak.freezes.held) })}` : "";
    setText(this.#facts, streak ? this.word("longest", { n: this.number(streak.longest) }) + held : "");
    this.#tick(state ? streak : undefined, Boolean(state));
    if (this.#last !== undefined && this.#last !== current) this.say(this.#figure.textContent ?? "");
    this.#last = state ? current : undefined;
  }

  #fillPeriods(streak: Whole | undefined): void {
    const count = Math.max(1, Math.min(31, Number(this.attribute("periods") ?? 7) || 7));
    const history = [...(streak?.history ?? [])].sort((a, b) => (a.period < b.period ? -1 : 1)).slice(-count);
    this.#periods.hidden = history.length === 0;
    this.#periods.replaceChildren(...history.map(({ period, status }) => {
      const met = streak?.period?.label === period && streak.period.met;
      const meaning = this.labels[status as keyof Words] ?? (status in told ? this.word(told[status]!) : status);
      return el("li", { class: met ? "open met" : status, part: `period ${status}`, title: `${period}: ${met ? this.word("met") : meaning}` }, el("span", { class: "sr" }, `${period}: ${met ? this.word("met") : meaning}`));
    }));
  }

  // The time that is left runs on by itself; the server tells what it comes to.
  #tick(streak: Whole | undefined, known: boolean): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    if (!streak || streak.current === 0) {
      setText(this.#left, !known ? "" : this.word(streak?.state === "paused" ? "paused" : streak?.state === "broken" ? "broken" : "start"));
      return;
    }
    if (streak.state === "paused" || streak.period?.met || !streak.deadline) {
      setText(this.#left, this.word(streak.state === "paused" ? "paused" : "done"));
      return;
    }
    const ms = Date.parse(streak.deadline) - Date.now();
    setText(this.#left, this.word("left", { time: left(ms, this.locale) }));
    if (ms <= 0) return;
    const timer = setTimeout(() => this.#tick(streak, known), nextTick(ms));
    this.#cancelTick = () => clearTimeout(timer);
  }
}

const told: Record<string, keyof Words> = { met: "met", missed: "missed", frozen: "frozen", restored: "met", open: "open", paused: "paused" };

define("laurel-streak", LaurelStreak);
