import { html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import type { TabName } from "./tabs.js";

type Stats = components["schemas"]["Stats"];

const shown = [
  ["activities", "Activities", "activity"],
  ["rewards", "Rewards", "rewards"],
  ["achievements", "Achievements", "rewards"],
  ["levels", "Levels", "rewards"],
  ["gifts", "Gifts", "activity"],
  ["missions", "Missions", "rewards"],
  ["kpis", "KPIs", "kpis"],
  ["coupons", "Coupons", "coupons"],
] as const satisfies readonly (readonly [keyof Stats, string, TabName])[];

/** How many of what there are, each a way to where they are listed; a badge says what came in the last month. */
export function statsOf(stats: Stats | undefined, month: Stats | undefined) {
  return html`<ul class="card stats" aria-label="How many">${shown.map(([kind, name, tab]) => {
    const gained = month?.[kind]?.last_month ?? 0;
    return html`<li><a href="#${tab}"><span class="soft small">${name}</span>
      <span class="count"><strong>${stats === undefined ? "…" : stats[kind] === undefined ? "–" : number(stats[kind].total)}</strong>${gained > 0 ? html`<span class="badge gained" title="Gained in the last month"><span class="sr">, gained in the last month: </span>+${number(gained)}</span>` : nothing}</span></a></li>`;
  })}</ul>`;
}
