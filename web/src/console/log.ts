import type { Exchange } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import { time } from "../shared/text.js";

/** What an entry of the log is: a request, its answer, news that came by themselves, or what went wrong. */
export type Kind = "REQ" | "RES" | "POLL" | "ERR";

export interface Entry {
  readonly id: number;
  readonly kind: Kind;
  readonly at: number;
  /** Such as `GET /v1/users`. */
  readonly what: string;
  readonly status: "pending" | "success" | "failed";
  readonly note: string;
  readonly payload: unknown;
}

const most = 200; // entries kept: the log is of what was done just now

/** What this page has sent and been told since it was opened, the newest last. */
export class RequestLog extends EventTarget {
  #entries: Entry[] = [];
  #last = 0;
  readonly #pending = new Map<string, number>(); // requests under way → their entry

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Takes what a Rest client tells. `source` tells clients apart. */
  exchange(source: number, exchange: Exchange): void {
    const what = `${exchange.method} ${exchange.path}`;
    const name = `${source}.${exchange.id}`;
    if (exchange.tookMs === undefined) {
      this.#pending.set(name, this.#add({ kind: "REQ", at: exchange.began, what, status: "pending", note: "", payload: exchange.body }));
      return;
    }
    const failed = exchange.error !== undefined || (exchange.status ?? 0) >= 400;
    const request = this.#pending.get(name);
    this.#pending.delete(name);
    this.#entries = this.#entries.map((entry) => (entry.id === request ? { ...entry, status: failed ? "failed" : "success" } : entry));
    const note = `${exchange.status ?? exchange.error ?? ""} · ${Math.round(exchange.tookMs)} ms`;
    this.#add({ kind: failed ? "ERR" : "RES", at: exchange.began + exchange.tookMs, what, status: failed ? "failed" : "success", note, payload: exchange.answer ?? exchange.error });
  }

  /** News of a view, or of a page that asks now and then. */
  poll(what: string, payload: unknown): void {
    this.#add({ kind: "POLL", at: Date.now(), what, status: "success", note: "", payload });
  }

  clear(): void {
    this.#entries = [];
    this.dispatchEvent(new Event("change"));
  }

  #add(entry: Omit<Entry, "id">): number {
    const id = ++this.#last;
    this.#entries = [...this.#entries.slice(1 - most), { ...entry, id }];
    this.dispatchEvent(new Event("change"));
    return id;
  }
}

/** The footer with the log: folded away, open, or filling the page. */
export class LogFooter extends LitElement {
  static override properties = { log: { attribute: false }, size: { state: true } };
  declare log: RequestLog;
  declare size: "folded" | "open" | "full";
  readonly #changed = () => this.requestUpdate();

  constructor() {
    super();
    this.size = "folded";
  }

  toggle(): void {
    this.size = this.size === "folded" ? "open" : "folded";
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.log.addEventListener("change", this.#changed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.log.removeEventListener("change", this.#changed);
  }

  protected override render() {
    const { entries } = this.log;
    const failed = entries.filter(({ kind }) => kind === "ERR").length;
    const open = this.size !== "folded";
    return html`
      <section class="log ${this.size}" aria-label="Request log">
        <header>
          <button class="plain" aria-expanded=${open ? "true" : "false"} aria-controls="log-entries" @click=${() => this.toggle()}>
            <span class="chevron" aria-hidden="true">${open ? "▾" : "▸"}</span> Request log <span class="badge quiet">${entries.length}</span>
            ${failed ? html`<span class="badge bad">${failed} failed</span>` : nothing}
          </button>
          <span class="acts" ?hidden=${!open}>
            <button class="plain" @click=${() => (this.size = this.size === "full" ? "open" : "full")}>${this.size === "full" ? "Shrink" : "Expand"}</button>
            <button class="plain" @click=${() => this.log.clear()}>Clear</button>
          </span>
        </header>
        <div id="log-entries" class="entries" ?hidden=${!open} tabindex="0" role="group" aria-label="Entries, the newest first">
          ${entries.length === 0 ? html`<p class="soft small">Nothing was sent yet.</p>` : [...entries].reverse().map(entryOf)}
        </div>
      </section>`;
  }
}

function entryOf(entry: Entry) {
  const payload = entry.payload === undefined ? "" : typeof entry.payload === "string" ? entry.payload : JSON.stringify(entry.payload, null, 2);
  return html`
    <details class="entry">
      <summary><span class="kind ${entry.kind.toLowerCase()}">${entry.kind}</span><span class="what">${entry.what}</span>
        <span class="soft small">${entry.note || entry.status}</span><time class="soft small">${time(entry.at)}</time></summary>
      <pre tabindex="0">${payload || "No body."}</pre>
    </details>`;
}

customElements.define("laurel-log", LogFooter);
