import { LitElement, html, nothing } from "lit";
import { time } from "../shared/text.js";
import type { Entry, RequestLog } from "./log-entries.js";

/** The footer with the log: folded away, open, or filling the page. */
export class LogFooter extends LitElement {
  static override properties = { log: { attribute: false }, only: { attribute: false }, size: { state: true } };
  declare log: RequestLog;
  /** Which entries are shown; all of them where it is left out. */
  declare only: ((entry: Entry) => boolean) | undefined;
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
    const entries = this.only ? this.log.entries.filter(this.only) : this.log.entries;
    const failed = entries.filter(({ kind }) => kind === "ERR").length;
    const open = this.size !== "folded";
    return html`
      <section class="log ${this.size}" aria-label="Request log">
        <header>
          <button class="plain" aria-expanded=${open ? "true" : "false"} @click=${() => this.toggle()}>
            <span class="chevron" aria-hidden="true">${open ? "▾" : "▸"}</span> Request log <span class="badge quiet">${entries.length}</span>
            ${failed ? html`<span class="badge bad">${failed} failed</span>` : nothing}
          </button>
          <span class="acts" ?hidden=${!open}>
            <button class="plain" @click=${() => (this.size = this.size === "full" ? "open" : "full")}>${this.size === "full" ? "Shrink" : "Expand"}</button>
            <button class="plain" @click=${() => this.log.clear()}>Clear</button>
          </span>
        </header>
        <div class="entries" ?hidden=${!open} tabindex="0" role="group" aria-label="Entries, the newest first">
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
