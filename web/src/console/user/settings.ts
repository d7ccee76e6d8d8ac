import { Problem } from "@laurel/client";
import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { heading } from "./parts.js";
import { UserTab, type Person } from "./tab.js";

/** Sorts of news that a user may want to be told, kept as `settings.notifications`; who said nothing is told. */
const news = [
  ["streaks", "Streaks", "Extended, at risk and lost"],
  ["achievements", "Achievements and missions", "Completed, failed and undone"],
  ["levels", "Levels", "Reached and undone"],
  ["points", "Points", "Earned and expired"],
  ["rewards", "Rewards and coupons", "Given, and about to expire"],
  ["gifts", "Gifts and bounties", "Received from others"],
] as const;

/** What is set for the user beside the profile: what to be told, what to take part in, and whatever else the customer keeps. */
export class UserSettings extends UserTab {
  static override properties = { ...UserTab.properties, wrong: { state: true }, saving: { state: true } };
  /** Which switch was refused, and why. */
  declare wrong: { readonly id: string; readonly text: string } | undefined;
  declare saving: string | undefined;

  protected override show() {
    const person = this.person!;
    const settings = person.profile?.settings ?? {};
    const notifications = objectOf(settings["notifications"]);
    const others = Object.entries(settings).filter(([name]) => name !== "notifications");
    const flags = others.filter(([, value]) => typeof value === "boolean");
    const rest = others.filter(([, value]) => typeof value !== "boolean");
    return html`
      <section aria-labelledby="notify">${heading("notify", "Notifications")}<p class="soft small">What the user wants to be told. Who sends messages reads it as <code>settings.notifications</code>.</p>
        <ul class="card switches">${news.map(([kind, name, note]) => this.#switch(`notify-${kind}`, name, note, notifications[kind] !== false, (on) => this.#patch({ notifications: { ...notifications, [kind]: on } })))}</ul></section>
      <section aria-labelledby="takes-part">${heading("takes-part", "Takes part")}
        <ul class="card switches">
          ${this.#switch("boards", "Shown on leaderboards", "Off: taken off every board; all values are kept", !person.hidden, (on) => this.#hide(!on))}
          ${person.streaks.map((s) => this.#switch(`streak-${s.rule}`, `Streak ${s.rule}`, "Off: the user has no such streak, and no news of it", !s.opted_out, (on) => this.#optOut(s.rule, !on)))}
        </ul></section>
      <section aria-labelledby="flags">${heading("flags", "Opted in to")}
        ${flags.length === 0 ? html`<p class="soft small">Nothing else is set by yes or no.</p>` : html`<ul class="card switches">${flags.map(([name, value]) => this.#switch(`flag-${name}`, name, "", value === true, (on) => this.#patch({ [name]: on }), true))}</ul>`}
        <form class="controls" @submit=${(e: SubmitEvent) => this.#add(e)}>
          <div class="field"><label for="new-flag">Another one</label><input id="new-flag" autocomplete="off" spellcheck="false" placeholder="such as newsletter" aria-invalid=${this.wrong?.id === "new-flag" ? "true" : "false"} aria-describedby=${this.wrong?.id === "new-flag" ? "new-flag-wrong" : nothing}>
            ${this.#wrong("new-flag")}</div><button>Opt in</button></form></section>
      ${rest.length === 0 ? nothing : html`<section aria-labelledby="kept">${heading("kept", "Also kept")}<dl class="card facts">${rest.map(([name, value]) => html`
        <div><dt><bdi>${name}</bdi></dt><dd><code>${JSON.stringify(value)}</code> <button class="link small" @click=${() => void this.#patch({ [name]: null })}>Remove</button></dd></div>`)}</dl></section>`}`;
  }

  #switch(id: string, name: string, note: string, on: boolean, set: (on: boolean) => Promise<unknown>, removable = false) {
    const turn = async (event: Event) => {
      const box = event.target as HTMLInputElement;
      await this.#save(id, () => set(box.checked));
      this.requestUpdate(); // back to what it was, where that was refused
    };
    return html`<li><label class="switch"><span><bdi class="name">${name}</bdi>${note ? html`<span class="soft small">${note}</span>` : nothing}${this.#wrong(id)}</span>
      <input type="checkbox" role="switch" id=${id} .checked=${live(on)} ?disabled=${this.saving === id} @change=${turn}></label>
      ${removable ? html`<button class="link small soft" @click=${() => void this.#save(id, () => this.#patch({ [name]: null }))}>Remove<span class="sr"> ${name}</span></button>` : nothing}</li>`;
  }

  #wrong(id: string) {
    return this.wrong?.id === id ? html`<span class="wrong" id="${id}-wrong" role="alert">${this.wrong.text}</span>` : nothing;
  }

  async #save(id: string, act: () => Promise<unknown>): Promise<boolean> {
    [this.saving, this.wrong] = [id, undefined];
    try {
      await act();
    } catch (err) {
      this.wrong = { id, text: err instanceof Problem ? err.message : String(err) };
    }
    this.saving = undefined;
    return this.wrong === undefined;
  }

  async #add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const field = this.querySelector<HTMLInputElement>("#new-flag")!;
    const name = field.value.trim();
    if (name && (await this.#save("new-flag", () => this.#patch({ [name]: true })))) field.value = "";
    field.focus();
  }

  async #patch(settings: Record<string, unknown>): Promise<void> {
    this.#tell(await this.session.rest.patch("/v1/users/{user}", { path: { user: this.user }, body: { settings } }));
  }

  async #hide(hidden: boolean): Promise<void> {
    const input = { path: { user: this.user } };
    this.#tell(await (hidden ? this.session.rest.post("/v1/users/{user}/hide", input) : this.session.rest.post("/v1/users/{user}/unhide", input)));
  }

  async #optOut(rule: string, out: boolean): Promise<void> {
    await this.session.rest.patch("/v1/users/{user}/streaks/{rule}", { path: { user: this.user, rule }, body: { opted_out: out } });
    this.#tell(await this.session.rest.get("/v1/users/{user}", { path: { user: this.user } }));
  }

  // What the server answers is how the user is now.
  #tell(person: Person): void {
    this.person = person;
    this.dispatchEvent(new CustomEvent("person", { detail: person, bubbles: true }));
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

customElements.define("laurel-user-settings", UserSettings);
