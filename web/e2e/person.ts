// A user with something of everything, for the page of a user.
import assert from "node:assert/strict";
import { generator, until, type World } from "./world.js";

const moreAchievements = Array.from({ length: 46 }, (_, i) => `      - {id: step-${i + 1}, name: "Step ${i + 1}", when: {name: buy}, at_least: ${(i + 1) * 5}}`).join("\n");

/** 10 boards, 2 wallets, 50 achievements, and what else can be earned. */
export const shopOfEverything = `
orgs:
  - id: shop
    timezone: UTC
    users: {fields: {revenue: number, visits: integer, plan: string, member: boolean}}
    behaviours:
      - {name: buy, meta: {item: string, lines: integer}}
      - {name: review}
    rules:
      - {id: points, when: {name: buy}, value: {sum: value}, cycles: [day, week, month, quarter, year, all], ties: standard}
      - {id: visits, when: {name: buy}, value: count, cycles: [day, all]}
      - {id: reviews, when: {name: review}, value: count, cycles: [week, month]}
    streaks:
      - {id: daily, when: {name: buy}, unit: day, freezes: {initial: 1, max: 2}}
      - {id: critic, when: {name: review}, unit: week}
    wallets:
      - {id: xp, name: XP, categories: true}
      - {id: coins, name: Coins, decimals: 2, expires: {months: 12}}
    awards:
      - {id: buy-xp, when: {name: buy}, wallet: xp, points: 10, category: participation}
      - {id: buy-coins, when: {name: buy}, wallet: coins, points: 1.5}
    levels:
      - {id: tier, name: Tier, wallet: xp, steps: [{at: 100, name: Bronze}, {at: 500, name: Silver}, {at: 100000, name: Gold}]}
    achievements:
      - {id: first-buy, name: First purchase, description: Bought something at all., when: {name: buy}, at_least: 1, grants: [mug]}
      - id: all-rounder
        name: All-rounder
        description: Buys, writes, and comes back.
        all:
          - {when: {name: buy}, at_least: 20}
          - {when: {name: review}, at_least: 10}
          - {streak: daily, at_least: 30}
          - {level: tier, at_least: 3}
      - {id: critic, name: Critic, when: {name: review}, at_least: 25}
      - {id: busy-day, name: Busy day, when: {name: buy}, at_least: 3, per: day}
${moreAchievements}
    missions:
      - {id: onboarding, name: Onboarding, needs: [{achievement: first-buy}, {level: tier, at_least: 1}], points: [{wallet: coins, points: 5}]}
      - {id: expert, name: Expert, needs: [{achievement: all-rounder}, {achievement: critic}]}
    rewards:
      - {id: mug, name: Mug, type: asset, code: "MUG-########"}
      - {id: voucher, name: Voucher, type: asset, code: "V-########", price: {wallet: coins, points: 12.5}, expires: 30d}
      - {id: raffle, name: Raffle, type: entry}
    gifts:
      - {id: coffee, cost: {wallet: coins, points: 3}, gives: {wallet: coins, points: 3}}
    bounties:
      - {id: bug, wallet: coins, min: 1}
    kpis:
      - {id: sales, name: Sales, rule: points, targets: {day: 100, week: 2000, month: 5000, quarter: 9000, year: 40000}}
      - {id: feedback, name: Feedback, rule: reviews, targets: {week: 2}}
  - id: annex
    rules:
      - {id: steps, when: {name: walk}, value: {sum: value}, cycles: [day, all]}
`;

const dayMs = 86_400_000;

/** Makes ada, who did `buys` things in the last month, and bob, who gives her something. */
export async function makeAda(world: World, buys = 110): Promise<void> {
  const random = generator(5);
  const now = Date.now();
  const at = (days: number, seconds = 0) => new Date(now - days * dayMs - seconds * 1_000).toISOString();
  const items: object[] = [{ id: "hi", user: "bob", name: "buy", value: 700 }, { id: "yd", user: "bob", name: "buy", value: 5, at: at(1) }];
  for (let i = 0; i < buys; i++) items.push({ id: `b${i}`, user: "ada", name: "buy", value: 1 + Math.floor(random() * 90), meta: { item: ["tea", "mug", "book"][i % 3], lines: i % 7 }, at: at(i % 30, 60 + i * 7) });
  for (let i = 0; i < 4; i++) items.push({ id: `r${i}`, user: "ada", name: "review", at: at(i * 3, 30) });
  for (const user of ["cyd", "dan", "eva"]) items.push({ id: "one", user, name: "buy", value: 40 + user.charCodeAt(0), at: at(0, 90) }, { id: "two", user, name: "buy", value: 90, at: at(1) });
  const { rejected } = await world.call("POST", "/v1/activities", items);
  assert.equal(rejected, 0);
  await world.call("PATCH", "/v1/users/ada", {
    name: "Ada L.", first_name: "Ada", last_name: "Lovelace", email: "ada@shop.example", language: "en", country: "GB", tags: ["vip", "beta"], timezone: "Europe/London",
    fields: { revenue: 12.5, plan: "pro" }, attributes: { tier: "gold" }, settings: { notifications: { streaks: false }, newsletter: true, theme: "dark" },
  });
  await world.call("PATCH", "/v1/users/bob", { name: "Bob", email: "bob@shop.example" });
  for (const item of [
    { id: "p1", user: "ada", kind: "point", name: "coins", value: 20, meta: { action: "increment" } },
    { id: "p2", user: "ada", kind: "point", name: "coins", value: 4, meta: { action: "redeem" } },
    { id: "p3", user: "ada", kind: "point", name: "coins", value: 1, meta: { action: "refund", of: "p2" } },
    { id: "p4", user: "bob", kind: "point", name: "coins", value: 20, meta: { action: "increment" } },
    { id: "c1", user: "ada", kind: "coupon", name: "voucher", meta: { action: "redeem" } },
    { id: "c2", user: "ada", kind: "coupon", name: "voucher", meta: { action: "redeem" } },
    { id: "g1", user: "bob", kind: "gift", name: "coffee", meta: { to: "ada" } },
  ]) await world.call("POST", "/v1/activities", item);
  await world.call("POST", "/v1/users/ada/grants/coupon:c1/redeem");
  await world.call("POST", "/v1/users/ada/grants", { id: "luck", reward: "raffle", count: 3 });
  await until(async () => (await world.call("GET", "/v1/users/ada")).stats.gifts.total === 1, "the gift arrives");
}
