import type { Rest } from "@laurel/client";
import { LitElement, html } from "lit";
import type { paths } from "../../api/schema.gen.js";

/** Records an activity for the user, in a panel that slides over the page. It tells with the event `logged` that one was recorded. */
export class LogActivity extends LitElement {
  static override properties = { api: { attribute: false }, user: {} };
  declare api: Rest<paths>;
  declare user: string;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  open(): void {
    this.querySelector("dialog")?.showModal();
  }

  protected override render() {
    return html`<dialog aria-label="Log activity"></dialog>`;
  }
}

customElements.define("laurel-log-activity", LogActivity);
