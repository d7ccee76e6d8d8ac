import "./streaks.css";
import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./streak-year.js";
import { UserTab } from "./tab.js";

/** The streaks of a user, each with its last year. */
export class UserStreaks extends UserTab {
  protected override show() {
    const { streaks } = this.person!;
    if (streaks.length === 0) return html`<p class="card empty soft">This organisation has no streak rules.</p>`;
    return html`${repeat(streaks, ({ rule }) => rule, (streak) => html`<laurel-streak-year .session=${this.session} .user=${this.user} .streak=${streak} .fresh=${this.fresh}></laurel-streak-year>`)}`;
  }
}

customElements.define("laurel-user-streaks", UserStreaks);
