import { html, nothing } from "lit";
import type { components } from "../../api/schema.gen.js";
import { number } from "../../shared/text.js";
import { dash, empty, heading, signed, when } from "./parts.js";
import { UserTab } from "./tab.js";

type Wallet = components["schemas"]["Wallet"];
type Ledger = components["schemas"]["WalletPage"];
type Row = components["schemas"]["WalletRow"];

const flows = [["Earned", "earned"], ["Spent", "spent"], ["Redeemed", "redeemed"], ["Refunded", "refunded"], ["Expired", "expired"]] as const satisfies readonly (readonly [string, keyof Wallet])[];
const pageSize = 25;
const mostAtOnce = 1_000; // that the server lists

/** The wallets with what came in and went out, and the rows of one of them. */
export class UserPoints extends UserTab<Ledger | null> {
  static override properties = { ...UserTab.properties, wallet: { state: true } };
  declare wallet: string | undefined;
  #wanted = pageSize;

  protected override async read(signal: AbortSignal): Promise<Ledger | null> {
    const wallet = this.wallet ?? this.person?.wallets?.[0]?.wallet ?? (await this.#first(signal));
    if (wallet === undefined) return null;
    return this.session.rest.get("/v1/users/{user}/wallets/{wallet}", { path: { user: this.user, wallet }, query: { limit: Math.min(this.#wanted, mostAtOnce) }, signal });
  }

  async #first(signal: AbortSignal): Promise<string | undefined> {
    const { wallets } = await this.session.rest.get("/v1/users/{user}/wallets", { path: { user: this.user }, signal });
    return wallets?.[0]?.wallet;
  }

  #choose(wallet: string): void {
    [this.wallet, this.#wanted] = [wallet, pageSize];
    this.again();
  }

  #more(): void {
    this.#wanted += pageSize;
    this.again();
  }

  protected override show() {
    const wallets = this.person!.wallets ?? [];
    const ledger = this.data;
    if (!ledger) return empty("The catalog has no wallets.");
    return html`
      <section aria-labelledby="wallets">${heading("wallets", "Wallets")}
        <div class="card scroll"><table class="table stack summary"><caption class="sr">Wallets</caption>
          <thead><tr><th scope="col">Wallet</th><th scope="col" class="number">Balance</th>${flows.map(([name]) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col" class="number" title="By how much balances were set">Set</th></tr></thead>
          <tbody>${wallets.map((w) => this.#wallet(w, w.wallet === ledger.wallet))}</tbody></table></div>
      </section>
      <section aria-labelledby="ledger">${heading("ledger", `${ledger.name ?? ledger.wallet}, row by row`, ledger.expiring ? html`<span class="soft small">${number(ledger.expiring.amount)} expire ${when(ledger.expiring.at)}</span>` : nothing)}
        ${ledger.categories ? html`<dl class="categories small">${Object.entries(ledger.categories).filter(([, n]) => n !== 0).map(([name, n]) => html`<div><dt class="soft">${name}</dt><dd>${number(n)}</dd></div>`)}</dl>` : nothing}
        ${ledger.rows.length === 0 ? empty("No rows yet.") : html`
          <div class="card scroll"><table class="table stack ledger" aria-busy=${this.busy ? "true" : "false"}><caption class="sr">Rows of ${ledger.name ?? ledger.wallet}</caption>
            <thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">From</th><th scope="col" class="number">Amount</th></tr></thead>
            <tbody>${ledger.rows.map(rowOf)}</tbody></table></div>`}
        ${ledger.since ? html`<p class="soft small">What is older than ${when(ledger.since)} has been summed up.</p>` : nothing}
        ${ledger.next && this.#wanted < mostAtOnce ? html`<div class="more"><button ?disabled=${this.busy} @click=${() => this.#more()}>${this.busy ? "Reading" : "Show more"}</button></div>` : nothing}
      </section>`;
  }

  #wallet(w: Wallet, shown: boolean) {
    return html`<tr class=${shown ? "chosen" : ""}>
      <th scope="row"><button class="link name" aria-pressed=${shown ? "true" : "false"} @click=${() => this.#choose(w.wallet)}>${w.name ?? w.wallet}</button></th>
      <td class="number" data-label="Balance"><strong>${number(w.balance)}</strong></td>${flows.map(([name, of]) => [name, w[of]] as const).map(([name, n]) => html`<td class="number" data-label=${name}>${n === 0 ? dash : number(n)}</td>`)}
      <td class="number" data-label="Set">${w.set === 0 ? dash : signed(w.set)}</td></tr>`;
  }
}

const types: Record<Row["type"], string> = { earn: "Earned", spend: "Spent", redeem: "Redeemed", refund: "Refunded", set: "Set", expire: "Expired" };

function rowOf(row: Row) {
  const from = row.achievement ? `achievement ${row.achievement}${row.period ? `, ${row.period}` : ""}` : row.mission ? `mission ${row.mission}` : row.award ?? (row.kind ? `${row.kind} ${row.name ?? ""}` : "");
  return html`<tr><td data-label="When">${when(row.at)}</td><td data-label="What">${types[row.type]}${row.category ? html` <span class="badge quiet">${row.category}</span>` : nothing}</td>
    <td data-label="From"><bdi>${from || dash}</bdi>${row.from ? html` <span class="soft small">from <bdi>${row.from}</bdi></span>` : nothing}</td><td data-label="Amount" class="number ${row.amount > 0 ? "up" : row.amount < 0 ? "down" : ""}">${signed(row.amount)}</td></tr>`;
}

customElements.define("laurel-user-points", UserPoints);
