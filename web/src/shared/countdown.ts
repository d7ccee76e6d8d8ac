import { LitElement } from "lit";
import { left, nextTick } from "./time.js";

/** The time that is left until an instant; it runs on by itself. */
export class Countdown extends LitElement {
  static override properties = { until: {} };
  /** As the server writes instants. */
  declare until: string | undefined;
  #ticking: ReturnType<typeof setTimeout> | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#ticking);
  }

  protected override render() {
    clearTimeout(this.#ticking);
    const ms = Date.parse(this.until ?? "") - Date.now();
    if (!(ms > 0)) return "Over";
    this.#ticking = setTimeout(() => this.requestUpdate(), nextTick(ms));
    return `${left(ms, undefined)} left`;
  }
}

customElements.define("laurel-countdown", Countdown);
