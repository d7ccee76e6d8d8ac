import { Problem } from "@laurel/client";
import { LitElement, html, nothing, type TemplateResult } from "lit";
import type { components } from "../../api/schema.gen.js";
import type { Session } from "../../shared/session.js";
import { Latest } from "./latest.js";

export type Person = components["schemas"]["User"];

/**
 * A tab of a user's page. It is made when it is first shown, and is in the page only while it is: that is when it reads what it shows, and again whenever the user
 * has changed. A tab that needs no more than the person has no `read`.
 */
export abstract class UserTab<Data = undefined> extends LitElement {
  static override properties = { session: { attribute: false }, user: {}, person: { attribute: false }, fresh: { attribute: false }, data: { state: true }, problem: { state: true }, busy: { state: true } };
  declare session: Session;
  /** The id. */
  declare user: string;
  /** As of now; undefined until it has come. */
  declare person: Person | undefined;
  /** Rises whenever something of the user has changed. */
  declare fresh: number;
  declare protected data: Data | undefined;
  declare protected problem: Problem | undefined;
  declare protected busy: boolean;
  readonly #reading = new Latest((signal) => this.#read(signal));
  #as = -1; // of which `fresh` the data are
  #asked = -1; // of which they were asked for last

  constructor() {
    super();
    this.fresh = 0;
    this.busy = false;
  }

  /** Asks the server for what the tab shows. */
  protected read?(signal: AbortSignal): Promise<Data>;

  /** What is shown once the person, and what is read, are there. */
  protected abstract show(): TemplateResult | typeof nothing;

  /** Reads anew, at once: something else is asked for. */
  protected again(): void {
    if (!this.read) return;
    this.#asked = this.fresh;
    this.#reading.restart();
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reading.stop();
    this.#asked = this.#as;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("fresh")) this.#follow();
  }

  // A tab that is not in the page reads when it is shown again.
  #follow(): void {
    if (!this.read || !this.isConnected || !this.session || this.#asked === this.fresh) return;
    this.#asked = this.fresh;
    this.#reading.ask();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { fresh } = this;
    this.busy = true;
    try {
      const data = await this.read!(signal);
      if (signal.aborted) return;
      [this.data, this.problem, this.#as] = [data, undefined, fresh];
    } catch (err) {
      if (signal.aborted) return;
      this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
    }
    this.busy = false;
  }

  protected override render() {
    const { problem } = this;
    const there = this.person !== undefined && (!this.read || this.data !== undefined);
    return html`
      ${problem ? html`<p class="notice bad" role="alert">${problem.message} <button class="link" @click=${() => this.again()}>Try again</button></p>` : nothing}
      ${there ? this.show() : problem ? nothing : html`<p class="soft reading" role="status">Reading</p>`}`;
  }
}
