import type { Rest } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./history.css";
import type { paths } from "../api/schema.gen.js";
import { date, number } from "./text.js";

/** Whose score and rank on which board. `cycle` is one of the rule's, `segment` a value of its `segment_by`; without it, everyone's board. */
export interface HistoryOf {
  readonly rule: string;
  readonly segment?: string | undefined;
  readonly cycle: string;
  readonly user: string;
}

/** A period of it; score and rank are null where the user was not ranked. */
interface Point {
  readonly label: string;
  readonly start: string;
  readonly score: number | null;
  readonly rank: number | null;
}

const periods: Record<string, number> = { day: 30, week: 26, month: 12, quarter: 8, year: 5 };

/** Reads the last periods of a cycle, the oldest first. Those that are no longer kept are left out. */
export async function readHistory(rest: Rest<paths>, { rule, segment, cycle, user }: HistoryOf, signal?: AbortSignal): Promise<Point[]> {
  const boards = Array.from({ length: periods[cycle] ?? 12 }, (_, i) => ({ rule, period: i === 0 ? cycle : `${cycle}~${i}`, ...(segment ? { segment } : {}), user, limit: 1 }));
  const { boards: answers } = await rest.post("/v1/leaderboards/query", { body: { boards } as never, signal });
  const points: Point[] = [];
  for (const answer of answers as { period?: { label: string; start?: string }; user?: { score: number; rank: number } | null }[]) {
    if (answer.period?.start) points.push({ label: answer.period.label, start: answer.period.start, score: answer.user?.score ?? null, rank: answer.user?.rank ?? null });
  }
  return points.reverse();
}

/** A user's score and rank over the last periods: a chart, and the same as a table for who cannot see it. */
export class History extends LitElement {
  static override properties = { of: { attribute: false }, rest: { attribute: false }, points: { state: true }, problem: { state: true } };
  declare of: HistoryOf | undefined;
  declare rest: Rest<paths> | undefined;
  declare points: Point[] | undefined;
  declare problem: string | undefined;
  #chart: uPlot | undefined;
  #reading: AbortController | undefined;
  #what: string | undefined; // whose points these are
  readonly #observer = new ResizeObserver(() => this.#chart?.setSize(this.#size()));
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #repaint = () => this.#draw();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
    this.#dark.addEventListener("change", this.#repaint);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.#dark.removeEventListener("change", this.#repaint);
    this.#reading?.abort();
    this.#chart?.destroy();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("of") || changed.has("rest")) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading?.abort();
    const reading = (this.#reading = new AbortController());
    this.problem = undefined;
    const what = this.of && JSON.stringify([this.of.rule, this.of.segment, this.of.cycle, this.of.user]);
    if (what !== this.#what) [this.#what, this.points] = [what, undefined]; // what is read anew is shown until then
    if (!this.of || !this.rest || this.of.cycle === "all") return;
    try {
      const points = await readHistory(this.rest, this.of, reading.signal);
      if (!reading.signal.aborted) this.points = points;
    } catch (err) {
      if (!reading.signal.aborted) this.problem = err instanceof Error ? err.message : String(err);
    }
  }

  protected override render() {
    if (this.of?.cycle === "all") return html`<p class="soft">All time has one period. Choose a day, week or month board to see how score and rank went.</p>`;
    if (this.problem) return html`<p class="notice bad" role="alert">${this.problem}</p>`;
    if (!this.points) return html`<p class="soft" role="status">Reading the last periods</p>`;
    return html`
      <div class="legend small"><span class="key score">Score</span><span class="key rank">Rank, 1 on top</span></div>
      <div class="chart" role="img" aria-label="Score and rank in the last ${this.points.length} periods; the same as a table follows"></div>
      <details class="small">
        <summary>As a table</summary>
        <div class="scroll" tabindex="0" role="group" aria-label="Score and rank by period">
          <table class="table">
            <thead><tr><th scope="col">Period</th><th scope="col">From</th><th scope="col" class="number">Score</th><th scope="col" class="number">Rank</th></tr></thead>
            <tbody>${[...this.points].reverse().map((p) => html`<tr><th scope="row">${p.label}</th><td>${date(p.start)}</td>
              <td class="number">${p.score === null ? "–" : number(p.score)}</td><td class="number">${p.rank === null ? "–" : number(p.rank)}</td></tr>`)}</tbody>
          </table>
        </div>
      </details>
      ${this.points.every(({ score }) => score === null) ? html`<p class="soft">No value in any of them.</p>` : nothing}`;
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has("points")) this.#draw();
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(240, this.querySelector(".chart")?.clientWidth ?? 600), height: 240 };
  }

  #draw(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
    const place = this.querySelector<HTMLElement>(".chart");
    if (!place || !this.points) return;
    const colour = (name: string) => resolved(place, `var(--${name})`);
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const whole = (_: uPlot, values: number[]) => values.map((v) => (Number.isInteger(v) ? number(v) : ""));
    const points = this.points;
    this.#chart = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { y: false },
        scales: { score: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(1, most ?? 1)] }, rank: { dir: -1, range: (_, least, most) => [Math.min(1, least ?? 1) - 0.5, (most ?? 1) + 0.5] } },
        axes: [{ ...axis, values: (_: uPlot, values: number[]) => values.map((v) => days.format(v * 1000)), space: 70 }, { ...axis, scale: "score", size: 60, values: (_, values) => values.map((v) => compact.format(v)) }, { ...axis, scale: "rank", side: 1, size: 44, grid: { show: false }, values: whole }],
        series: [
          {},
          { scale: "score", stroke: colour("accent"), fill: colour("tint"), width: 2, points: { show: true, size: 5 } },
          { scale: "rank", stroke: colour("warn"), width: 2, dash: [5, 4], points: { show: true, size: 5, fill: colour("raised") } },
        ],
      },
      [points.map((p) => Date.parse(p.start) / 1000), points.map((p) => p.score), points.map((p) => p.rank)],
      place,
    );
  }
}

const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const compact = new Intl.NumberFormat(undefined, { notation: "compact" });

/** A colour as a canvas takes it: without variables and light-dark(). */
function resolved(at: HTMLElement, colour: string): string {
  const probe = document.createElement("span");
  probe.style.color = colour;
  at.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

customElements.define("laurel-history", History);
