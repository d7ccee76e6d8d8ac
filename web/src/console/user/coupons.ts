import { Problem } from "@laurel/client";
import { html, nothing } from "lit";
import { number } from "../../shared/text.js";
import { dash, empty, issuer, statusBadge, when, type Grant } from "./parts.js";
import { UserTab } from "./tab.js";

const most = 200;

/** The coupons that were bought, and those that were earned otherwise: rewards that have a price. */
export class UserCoupons extends UserTab<readonly Grant[]> {
  protected override async read(signal: AbortSignal): Promise<readonly Grant[]> {
    const { rest } = this.session;
    const [given, priced] = await Promise.all([rest.get("/v1/users/{user}/rewards", { path: { user: this.user }, query: { limit: most }, signal }), this.#priced(signal)]);
    return given.rewards.filter(({ by, reward }) => by?.startsWith("coupon:") || priced.has(reward));
  }

  // Who may not read the catalog is shown what was bought.
  async #priced(signal: AbortSignal): Promise<Set<string>> {
    try {
      const { rewards } = await this.session.rest.get("/v1/rewards", { signal });
      return new Set(rewards.filter(({ price }) => price).map(({ reward }) => reward));
    } catch (err) {
      if (err instanceof Problem && err.status === 403) return new Set();
      throw err;
    }
  }

  protected override show() {
    const coupons = this.data!;
    const spent = new Map<string, number>();
    for (const { paid } of coupons) if (paid) spent.set(paid.wallet, (spent.get(paid.wallet) ?? 0) + paid.points);
    if (coupons.length === 0) return empty("No coupons yet.");
    return html`
      ${spent.size > 0 ? html`<p class="soft">Spent on coupons: ${[...spent].map(([wallet, points], i) => html`${i ? ", " : ""}<strong>${number(points)}</strong> ${wallet}`)}</p>` : nothing}
      <div class="card scroll"><table class="table stack"><caption class="sr">Coupons</caption>
        <thead><tr><th scope="col">Coupon</th><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Earned</th><th scope="col">Redeemed</th><th scope="col" class="number">Points spent</th><th scope="col">Expires</th></tr></thead>
        <tbody>${coupons.map((g) => html`<tr><th scope="row"><span class="name">${g.name ?? g.reward}</span><span class="soft small clip"><bdi>${issuer(g.by)}</bdi></span></th><td data-label="Code">${g.code ? html`<code>${g.code}</code>` : dash}</td>
          <td data-label="Status">${statusBadge(g.status)}</td><td data-label="Earned">${when(g.issued_at)}</td><td data-label="Redeemed">${when(g.redeemed_at)}</td><td class="number" data-label="Points spent">${g.paid ? html`${number(g.paid.points)} <span class="soft small">${g.paid.wallet}</span>` : dash}</td><td data-label="Expires">${when(g.expires_at)}</td></tr>`)}</tbody></table></div>`;
  }
}

customElements.define("laurel-user-coupons", UserCoupons);
