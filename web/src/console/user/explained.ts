import { html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import { inZone, lengthName, statuses, zoned } from "./periods.js";

type Explained = components["schemas"]["Explained"];

const exempt: Record<string, string> = { weekday: "This weekday is not one of the active days.", holiday: "It is a holiday of the rule.", no_such_date: "The zone skipped this date." };

/** What the server's sentence on a period rests on. */
export function explainedView(period: Explained, unit: string) {
  const zone = period.timezone;
  const facts: [string, unknown][] = [
    ["Status", statuses[period.status].split(":")[0]],
    ["Done", `${number(period.value)} of ${number(period.target)}`],
    ...(period.conditions ?? []).map(({ value, target }, i): [string, unknown] => [`Condition ${i + 1}`, `${number(value)} of ${number(target)}`]),
    ...(period.met_at ? [["Met at", zoned(period.met_at, zone)] as [string, unknown]] : []),
    [period.status === "open" ? "Can be met until" : "Could be met until", zoned(period.can_be_met_until, zone)],
    ["Streak after it", `${number(period.length)} ${lengthName(period.length, unit)}`],
    ["Freezes after it", number(period.freezes_held)],
    ...(period.exempt ? [["Not required", exempt[period.exempt] ?? period.exempt] as [string, unknown]] : []),
    ...(period.pause ? [["Pause", period.pause] as [string, unknown]] : []),
    ...(period.outage ? [["Outage", period.outage] as [string, unknown]] : []),
  ];
  return html`
    <dl class="reasons small">${facts.map(([name, what]) => html`<div><dt class="soft">${name}</dt><dd>${what}</dd></div>`)}</dl>
    ${period.activities.length === 0 ? nothing : html`
      <div class="scroll"><table class="table small">
        <caption class="sr">Activities that count for it</caption>
        <thead><tr><th scope="col">Activity</th><th scope="col">At</th><th scope="col" class="number">Gives</th></tr></thead>
        <tbody>${period.activities.map(({ id, at, values, stamped }) => html`<tr><th scope="row"><code>${id}</code></th><td>${inZone(at, zone)}${stamped ? html` <span class="soft">of ${stamped}, by grace</span>` : nothing}</td>
          <td class="number">${values.map((value) => (typeof value === "number" ? number(value) : value === null ? "–" : String(value))).join(", ")}</td></tr>`)}</tbody>
      </table></div>`}
    ${period.sealed ? html`<p class="soft small">Activities of it may have been summed up; those are not listed.</p>` : nothing}`;
}
