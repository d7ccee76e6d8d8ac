import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import icon from "./icon.svg";

/** Asks for a key. It tells with the event `key`; who listens answers with `refuse` where the server did. */
export class SignIn extends LitElement {
  static override properties = { purpose: {}, problem: { state: true }, busy: { state: true } };
  declare purpose: string;
  declare problem: Problem | undefined;
  declare busy: boolean;

  constructor() {
    super();
    this.purpose = "";
    this.busy = false;
  }

  /** Says why not. */
  refuse(err: unknown): void {
    this.busy = false;
    this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
    void this.updateComplete.then(() => this.querySelector("input")?.focus());
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const key = this.querySelector("input")!.value.trim();
    this.busy = true;
    this.problem = undefined;
    this.dispatchEvent(new CustomEvent("key", { detail: key }));
  }

  protected override render() {
    const wrong = this.problem?.message;
    return html`
      <main class="card sign-in" id="main">
        <span class="brand"><img src=${icon} alt="">Laurel</span>
        <h1>Sign in with a key</h1>
        <p>${this.purpose} It stays in this tab and goes to this server only.</p>
        <form novalidate @submit=${this.#submit}>
          <div class="field">
            <label for="key">API key</label>
            <input id="key" name="key" type="password" autocomplete="off" spellcheck="false" required placeholder="sk_… or pk_…" aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? "key-wrong" : nothing}>
            ${wrong ? html`<span class="wrong" id="key-wrong" role="alert">${wrong}</span>` : nothing}
          </div>
          <button class="primary" ?disabled=${this.busy}>${this.busy ? "Asking the server" : "Sign in"}</button>
        </form>
      </main>`;
  }
}


customElements.define("laurel-sign-in", SignIn);
