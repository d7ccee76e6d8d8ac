import { html } from "lit";
import { UserTab } from "./tab.js";

/** The streaks of a user. */
export class UserStreaks extends UserTab {
  protected override show() {
    return html`${this.person!.streaks.map(({ rule, current }) => html`<p>${rule}: ${current}</p>`)}`;
  }
}

customElements.define("laurel-user-streaks", UserStreaks);
