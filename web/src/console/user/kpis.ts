import { html } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import { empty, progress } from "./parts.js";
import { UserTab } from "./tab.js";

type Kpi = components["schemas"]["Kpi"];

const cycles = [["day", "Daily"], ["week", "Weekly"], ["month", "Monthly"], ["quarter", "Quarterly"], ["year", "Yearly"]] as const;

/** The KPIs in the periods of now: value, target and how much of it, by the length of the period. */
export class UserKpis extends UserTab<readonly Kpi[]> {
  static override properties = { ...UserTab.properties, cycle: { state: true } };
  declare cycle: string | undefined;

  protected override async read(signal: AbortSignal): Promise<readonly Kpi[]> {
    return (await this.session.rest.get("/v1/users/{user}/kpis", { path: { user: this.user }, signal })).kpis;
  }

  protected override show() {
    const kpis = this.data!;
    const cycle = this.cycle ?? cycles.find(([c]) => kpis.some((k) => k.cycle === c))?.[0] ?? "day";
    const rest = [...new Set(kpis.map((k) => k.cycle))].filter((c) => !cycles.some(([known]) => known === c)).map((c) => [c, c === "all" ? "All time" : c] as const);
    const shown = kpis.filter((k) => k.cycle === cycle);
    return html`
      <div class="choice" role="group" aria-label="Target period">${[...cycles, ...rest].map(([c, name]) => html`<button aria-pressed=${c === cycle ? "true" : "false"} @click=${() => (this.cycle = c)}>${name}</button>`)}</div>
      ${shown.length === 0 ? empty(kpis.length === 0 ? "The catalog has no KPIs." : "No KPI has a target for that period.") : html`
        <div class="card scroll"><table class="table stack"><caption class="sr">KPIs</caption>
          <thead><tr><th scope="col">KPI</th><th scope="col">Period</th><th scope="col" class="number">Value</th><th scope="col" class="number">Target</th><th scope="col" class="number">Percent</th><th scope="col">Progress</th></tr></thead>
          <tbody>${shown.map((k) => html`<tr><th scope="row"><span class="name">${k.name ?? k.kpi}</span>${k.description ? html`<span class="soft small clip">${k.description}</span>` : ""}</th><td class="soft" data-label="Period">${k.period}</td>
            <td class="number" data-label="Value"><strong>${number(k.value)}</strong></td><td class="number" data-label="Target">${number(k.target)}</td><td class="number" data-label="Percent">${number(k.percent)} %</td><td class="whole">${progress(k.value, k.target, `${k.name ?? k.kpi}, ${k.period}`)}</td></tr>`)}</tbody></table></div>`}`;
  }
}

customElements.define("laurel-user-kpis", UserKpis);
