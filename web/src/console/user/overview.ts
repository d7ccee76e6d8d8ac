import { html } from "lit";
import { number, periodName } from "../../shared/text.js";
import { dash, issuer, metaOf, statusBadge, when, type Activity, type Grant } from "./parts.js";
import { UserTab } from "./tab.js";
import type { TabName } from "./tabs.js";

interface Overview {
  readonly activities: readonly Activity[];
  readonly rewards: readonly Grant[];
  readonly coupons: readonly Grant[];
}

const most = 5; // rows of a card
const looked = 25; // grants among which are those that were not bought

/** A card for each sort of thing, with the newest of it. */
export class UserOverview extends UserTab<Overview> {
  protected override async read(signal: AbortSignal): Promise<Overview> {
    const [path, { rest }] = [{ user: this.user }, this.session];
    const [activities, coupons, rewards] = await Promise.all([
      rest.get("/v1/users/{user}/activities", { path, query: { limit: most }, signal }),
      rest.get("/v1/users/{user}/rewards", { path, query: { by: "coupon", limit: most }, signal }),
      rest.get("/v1/users/{user}/rewards", { path, query: { limit: looked }, signal }),
    ]);
    return { activities: activities.activities, coupons: coupons.rewards, rewards: rewards.rewards.filter(({ by }) => !by?.startsWith("coupon:")).slice(0, most) };
  }

  protected override show() {
    const { activities, coupons, rewards } = this.data!;
    const { wallets, ranks } = this.person!;
    return html`<div class="cards">
      ${card("activity", "Recent activity", activities, "Nothing yet.", (a) => html`
        <li><span class="grow"><bdi class="name">${a.name}</bdi>${a.status === "accepted" ? "" : html` ${statusBadge(a.status)}`}<span class="soft small clip">${metaOf(a) || a.kind}</span></span>
          <span class="soft small">${when(a.at)}</span></li>`, "wide")}
      ${card("leaderboards", "Leaderboard positions", ranks.slice(0, most), "On no board yet.", (r) => html`
        <li><span class="grow"><span class="name">${r.rule}${r.segment ? ` @ ${r.segment}` : ""}</span><span class="soft small clip">${periodName(r.cycle)}</span></span>
          <span><strong>${number(r.rank)}</strong> <span class="soft small">of ${number(r.total)}</span></span></li>`)}
      ${card("points", "Balances", wallets ?? [], "The catalog has no wallets.", (w) => html`
        <li><span class="grow name">${w.name ?? w.wallet}</span><strong>${number(w.balance)}</strong></li>`)}
      ${card("rewards", "Rewards", rewards, "None yet.", (g) => html`
        <li><span class="grow"><span class="name">${g.name ?? g.reward}</span><span class="soft small clip">${issuer(g.by)}</span></span>${statusBadge(g.status)}</li>`)}
      ${card("coupons", "Coupons", coupons, "None yet.", (g) => html`
        <li><span class="grow"><span class="name">${g.name ?? g.reward}</span><span class="soft small clip">${g.code ? html`<code>${g.code}</code>` : when(g.issued_at)}</span></span>
          <span class="soft small">${g.paid ? `${number(g.paid.points)} ${g.paid.wallet}` : dash}</span></li>`)}
    </div>`;
  }
}

function card<Item>(tab: TabName, title: string, items: readonly Item[], none: string, row: (item: Item) => unknown, size = "") {
  return html`
    <section class="card peek ${size}" aria-labelledby="peek-${tab}">
      <div class="heading"><h2 id="peek-${tab}">${title}</h2><a class="small" href="#${tab}" aria-label="View all: ${title}">View all</a></div>
      ${items.length === 0 ? html`<p class="soft small">${none}</p>` : html`<ul>${items.map(row)}</ul>`}
    </section>`;
}

customElements.define("laurel-user-overview", UserOverview);
