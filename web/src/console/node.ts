import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { Session } from "../shared/session.js";
import { number } from "../shared/text.js";
import { parseMetrics, quantile, rate, sum, type Samples } from "./metrics.js";

interface Reading {
  readonly at: number;
  readonly samples: Samples;
}

const everyMs = 2_000;
const kept = 61; // two minutes

/** What the node that answers does, from its metrics: asked every two seconds while the page is seen. */
export class NodePage extends LitElement {
  static override properties = { session: { attribute: false }, readings: { state: true }, problem: { state: true } };
  declare session: Session;
  declare readings: readonly Reading[];
  declare problem: Problem | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.readings = [];
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #read(): Promise<void> {
    if (!document.hidden) {
      try {
        const text = String(await this.session.rest.get("/v1/metrics", {}));
        this.readings = [...this.readings, { at: performance.now(), samples: parseMetrics(text) }].slice(-kept);
        this.problem = undefined;
      } catch (err) {
        this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
      }
    }
    const forGood = this.problem && this.problem.status >= 400 && this.problem.status < 500;
    if (this.isConnected && !forGood) this.#timer = setTimeout(() => void this.#read(), everyMs);
  }

  #rates(name: string): number[] {
    const list: number[] = [];
    for (let i = 1; i < this.readings.length; i++) {
      const [a, b] = [this.readings[i - 1]!, this.readings[i]!];
      list.push(rate(sum(a.samples, name), sum(b.samples, name), (b.at - a.at) / 1000));
    }
    return list;
  }

  #values(name: string): number[] {
    return this.readings.map(({ samples }) => sum(samples, name));
  }

  protected override render() {
    const { problem } = this;
    const refused = problem?.status === 403;
    return html`
      <div class="title"><div><h1>Node</h1><p class="soft">The node that answers this page, over the last two minutes.</p></div>
        ${problem || refused ? nothing : html`<span class="pulse" data-state=${this.readings.length > 0 ? "live" : "pending"}>${this.readings.length > 0 ? "Every 2 s" : "Reading"}</span>`}</div>
      ${refused ? html`<p class="notice" role="alert">This page needs a key with the scope keys:admin.</p>` : problem ? html`<p class="notice bad" role="alert">${problem.message}</p>` : nothing}
      ${this.readings.length === 0 ? nothing : this.#tiles()}`;
  }

  #tiles() {
    const [first, last] = [this.readings[0]!.samples, this.readings.at(-1)!.samples];
    const ms = (name: string) => {
      const seconds = quantile(first, last, name, 0.99);
      return seconds === undefined ? "–" : seconds === Infinity ? "> 10 s" : `≤ ${number(Math.round(seconds * 1e5) / 100)} ms`;
    };
    const tile = (name: string, value: string, note: string, series?: number[]) => html`
      <li class="card tile"><span class="soft small">${name}</span><strong>${value}</strong><span class="soft small">${note}</span>${series ? spark(series) : nothing}</li>`;
    const ingest = this.#rates("laurel_activities_total");
    const frames = this.#rates("laurel_ws_frames_total");
    const requests = this.#rates("laurel_http_requests_total");
    const seconds = (name: string) => `${number(Math.round(sum(last, name) * 100) / 100)} s`;
    return html`
      <ul class="tiles">
        ${tile("Activities", perSecond(ingest), "a second", ingest)}
        ${tile("Time to answer them", ms("laurel_ingest_seconds"), "99th percentile")}
        ${tile("Commit to the store", ms("laurel_commit_seconds"), "99th percentile")}
        ${tile("Requests", perSecond(requests), "a second", requests)}
        ${tile("Live connections", number(sum(last, "laurel_ws_connections")), `${number(sum(last, "laurel_ws_subscriptions"))} views watched`, this.#values("laurel_ws_connections"))}
        ${tile("Frames sent", perSecond(frames), "a second", frames)}
        ${tile("Commit to socket", ms("laurel_push_seconds"), "99th percentile; ticks are 100 ms apart")}
        ${tile("Behind the store", seconds("laurel_index_lag_seconds"), `last in step ${seconds("laurel_index_age_seconds")} ago`, this.#values("laurel_index_lag_seconds"))}
        ${tile("Boards in memory", number(sum(last, "laurel_index_boards")), `${number(sum(last, "laurel_index_members"))} rows`)}
        ${tile("Streak deadlines", number(sum(last, "laurel_streak_deadlines")), `oldest waits ${seconds("laurel_streak_sweep_lag_seconds")}`)}
        ${tile("Memory", `${number(Math.round(sum(last, "process_resident_memory_bytes") / 1e6))} MB`, `${number(sum(last, "go_goroutines"))} goroutines`)}
      </ul>`;
  }
}

function perSecond(rates: readonly number[]): string {
  const last = rates.at(-1);
  return last === undefined ? "–" : number(Math.round(last * 10) / 10);
}

/** A line without axes: what a figure did lately. */
function spark(values: readonly number[]) {
  if (values.length < 2) return nothing;
  const most = Math.max(...values, 1);
  const points = values.map((v, i) => `${((i / (values.length - 1)) * 100).toFixed(1)},${(28 - (v / most) * 26).toFixed(1)}`).join(" ");
  return html`<svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"><polyline points=${points}></polyline></svg>`;
}

customElements.define("laurel-node", NodePage);
