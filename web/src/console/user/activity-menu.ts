import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import type { Session } from "../../shared/session.js";
import { metaOf, statusBadge, when, type Activity } from "./parts.js";

/** What can be done about one activity: a menu beside its row, and the dialogs that it opens. It tells with `changed` that something was done. */
export class ActivityMenu extends LitElement {
  static override properties = { session: { attribute: false }, activity: { state: true }, asking: { state: true }, problem: { state: true }, busy: { state: true } };
  declare session: Session;
  declare activity: Activity | undefined;
  declare asking: "reject" | "details" | undefined;
  declare problem: Problem | undefined;
  declare busy: boolean;
  #opener: HTMLElement | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  open(activity: Activity, opener: HTMLElement): void {
    [this.activity, this.asking, this.problem, this.#opener] = [activity, undefined, undefined, opener];
    void this.updateComplete.then(() => {
      const menu = this.querySelector<HTMLElement>("[role=menu]")!;
      menu.showPopover();
      const { bottom, right, top } = opener.getBoundingClientRect();
      const below = bottom + menu.offsetHeight < innerHeight;
      menu.style.insetBlockStart = `${below ? bottom : top - menu.offsetHeight}px`;
      menu.style.insetInlineStart = `${Math.max(8, right - menu.offsetWidth)}px`;
      menu.querySelector<HTMLElement>("[role=menuitem]")!.focus();
    });
  }

  #close(): void {
    this.querySelector<HTMLElement>("[role=menu]")?.hidePopover();
    this.#opener?.focus();
  }

  #keys(event: KeyboardEvent): void {
    const items = [...this.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab" || event.key === "Escape") this.#close();
    else if (to !== undefined) items.at(to % items.length)!.focus();
    if (event.key !== "Tab" && (to !== undefined || event.key === "Escape")) event.preventDefault();
    event.stopPropagation(); // the page's shortcuts are off
  }

  #ask(what: "reject" | "details"): void {
    this.#close();
    this.asking = what;
  }

  async #do(what: "reject" | "restore", reason?: string): Promise<void> {
    const { user, id } = this.activity!;
    this.busy = true;
    try {
      if (what === "reject") await this.session.rest.post("/v1/activities/{user}/{id}/reject", { path: { user, id }, body: reason ? { reason } : {} });
      else await this.session.rest.post("/v1/activities/{user}/{id}/restore", { path: { user, id } });
      this.#leave();
      this.dispatchEvent(new Event("changed"));
    } catch (err) {
      this.problem = err instanceof Problem ? err : new Problem(0, "unknown", String(err));
      this.asking ??= "details";
    }
    this.busy = false;
  }

  #leave(): void {
    this.asking = this.problem = undefined;
    this.#opener?.focus();
  }

  protected override render() {
    const { activity, asking } = this;
    if (!activity) return nothing;
    return html`
      <div popover role="menu" aria-label="What to do about ${activity.name}" class="menu" @keydown=${this.#keys}>
        ${activity.status === "rejected"
          ? html`<button role="menuitem" tabindex="-1" @click=${() => (this.#close(), void this.#do("restore"))}>Restore</button>`
          : html`<button role="menuitem" tabindex="-1" @click=${() => this.#ask("reject")}>Reject …</button>`}
        <button role="menuitem" tabindex="-1" @click=${() => this.#ask("details")}>Show everything</button>
      </div>
      ${asking === "reject" ? this.#rejecting(activity) : asking === "details" ? this.#details(activity) : nothing}`;
  }

  #rejecting(activity: Activity) {
    const wrong = this.problem?.field === "reason" ? this.problem.message : undefined;
    return html`<dialog aria-labelledby="rejecting" @close=${() => this.#leave()}><form class="inside" @submit=${(e: SubmitEvent) => (e.preventDefault(), void this.#do("reject", this.querySelector<HTMLInputElement>("#reason")!.value.trim()))}>
      <header><h2 id="rejecting">Reject ${activity.name}</h2></header>
      <p>Everything becomes as if it had never come. It can be restored.</p>
      <div class="field"><label for="reason">Reason, if there is one</label><input id="reason" maxlength="256" autocomplete="off" autofocus aria-invalid=${wrong ? "true" : "false"} aria-describedby=${wrong ? "reason-wrong" : nothing}>
        ${wrong ? html`<span class="wrong" id="reason-wrong">${wrong}</span>` : nothing}</div>
      ${this.problem && !wrong ? html`<p class="notice bad" role="alert">${this.problem.message}</p>` : nothing}
      <div class="buttons"><button type="button" @click=${() => this.#leave()}>Cancel</button><button class="primary" ?disabled=${this.busy}>Reject</button></div>
    </form></dialog>`;
  }

  #details(activity: Activity) {
    return html`<dialog aria-labelledby="details" @close=${() => this.#leave()}><div class="inside">
      <header><h2 id="details"><bdi>${activity.name}</bdi></h2><form method="dialog"><button class="plain" aria-label="Close">✕</button></form></header>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem.message}</p>` : nothing}
      <dl class="facts"><div><dt>Status</dt><dd>${statusBadge(activity.status)} <bdi>${activity.reason}</bdi></dd></div><div><dt>When</dt><dd>${when(activity.at)}</dd></div>
        <div><dt>Arrived</dt><dd>${when(activity.received_at)}</dd></div><div><dt>Id</dt><dd><code>${activity.id}</code></dd></div>${metaOf(activity) ? html`<div><dt>Details</dt><dd><bdi>${metaOf(activity)}</bdi></dd></div>` : nothing}</dl>
      <pre tabindex="0">${JSON.stringify(activity, null, 2)}</pre></div></dialog>`;
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
}

customElements.define("laurel-activity-menu", ActivityMenu);
