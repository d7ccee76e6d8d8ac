import { LitElement, html, nothing } from "lit";
import type { components } from "../api/schema.gen.js";
import type { Session } from "../shared/session.js";
import { periodName } from "../shared/text.js";

type Rule = components["schemas"]["LeaderboardRule"];

/** The boards of the org, each a link to its live page. */
export class Boards extends LitElement {
  static override properties = { session: { attribute: false }, rules: { state: true }, problem: { state: true } };
  declare session: Session;
  declare rules: Rule[] | undefined;
  declare problem: string | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.session.rest.get("/v1/leaderboards", {}).then(
      ({ leaderboards }) => (this.rules = leaderboards),
      (err: unknown) => (this.problem = String(err instanceof Error ? err.message : err)),
    );
  }

  protected override render() {
    return html`
      <div class="title"><div><h1>Boards</h1><p class="soft">Each opens live, on a page of its own.</p></div></div>
      ${this.problem ? html`<p class="notice bad" role="alert">${this.problem}</p>` : nothing}
      ${this.rules?.length === 0 ? html`<p class="card empty soft">The catalog has no rules yet.</p>` : nothing}
      <ul class="boards">${this.rules?.map((rule) => html`
        <li class="card"><h2>${rule.rule}</h2>
          <p class="links">${rule.cycles.map(({ cycle }) => html`<a class="button" href=${`/live/${encodeURIComponent(rule.rule)}/${encodeURIComponent(cycle)}`}>${periodName(cycle)}</a>`)}</p></li>`)}</ul>`;
  }
}

customElements.define("laurel-boards", Boards);
