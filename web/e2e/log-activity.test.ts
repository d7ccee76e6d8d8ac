// Logging activities by hand, in the slide-over of a user's page, against a real server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator, Page, Request } from "playwright-core";
import { accessible } from "./axe.js";
import { World, hostile, until } from "./world.js";

const world = new World(`
orgs:
  - id: shop
    timezone: UTC
    users: {auto_create: false}
    behaviours:
      - {name: buy, meta: {amount: number, items: integer, express: boolean, note: string}}
      - {name: visit, cap: {per: day, count: 1}}
    rules:
      - {id: spent, when: {name: buy}, value: {sum: meta.amount}, cycles: [day, all]}
    streaks:
      - {id: daily, when: {name: buy}, unit: day}
    wallets:
      - {id: coins, name: Coins}
      - {id: gems}
    rewards:
      - {id: mug, name: Mug, price: {wallet: coins, points: 25}}
      - {id: badge}
    gifts:
      - {id: coffee, cost: {wallet: coins, points: 3}, gives: {wallet: coins, points: 3}}
    bounties:
      - {id: bug, wallet: coins, min: 10, max: 100}
`);

const panel = (page: Page) => page.getByRole("dialog", { name: "Log activity" });
const send = (page: Page) => panel(page).getByRole("button", { name: "Log activity" });
const wrong = (field: Locator) => field.locator("xpath=..").locator(".wrong");

const behaviour = (p: Locator) => p.getByRole("combobox", { name: "Behaviour" });

/** The page of a user with the slide-over open, by keyboard. */
async function open(user: string, tab?: string): Promise<{ page: Page; faults: string[]; sent: Record<string, any>[] }> {
  const { page, faults } = await world.signedIn();
  const sent: Record<string, any>[] = [];
  page.on("request", (r: Request) => r.method() === "POST" && new URL(r.url()).pathname === "/v1/activities" && sent.push(r.postDataJSON()));
  await page.goto(`${world.node.url}/console/users/${user}`);
  await page.locator(".pulse[data-state=live]").waitFor();
  await page.getByRole("button", { name: "Log activity" }).focus();
  await page.keyboard.press("l");
  await panel(page).getByRole("tab", { name: "Behaviour", selected: true }).waitFor();
  if (tab) await panel(page).getByRole("tab", { name: tab }).click();
  await send(page).waitFor();
  return { page, faults, sent };
}

const balance = async (user: string) => (await world.call("GET", `/v1/users/${user}/wallets/coins`)).balance as number;

describe("the slide-over that logs activities", () => {
  before(async () => {
    await world.open();
    for (const user of ["ada", "bob", "cyd", "dan", "eve"]) await world.call("PUT", `/v1/users/${user}`, { name: `${user[0]!.toUpperCase()}${user.slice(1)} Lovelace` });
    for (const [i, user] of ["bob", "cyd", "dan"].entries()) await world.call("POST", "/v1/activities", { id: `gift${i}`, user, kind: "point", name: "coins", value: 100, meta: { action: "set" } });
  });
  after(() => world.close());

  test("L opens it, not while typing; it keeps the focus; tabs by arrows; Esc closes it and gives the focus back", async () => {
    const { page, faults } = await open("eve");
    const inside = () => page.evaluate("document.querySelector('dialog.slide').contains(document.activeElement)");
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press(i < 15 ? "Tab" : "Shift+Tab");
      assert.equal(await inside(), true, `Tab ${i}`);
    }
    const at = await panel(page).boundingBox();
    assert.equal(Math.round(at!.x + at!.width), 1440, "it stands at the right edge");
    assert.equal(at!.height, 900);
    await panel(page).getByRole("tab", { selected: true }).focus();
    for (const name of ["Coupon", "Point", "Gift", "Bounty", "Behaviour"]) {
      await page.keyboard.press("ArrowRight");
      await panel(page).getByRole("tab", { name, selected: true }).waitFor();
      assert.equal(await page.evaluate("document.activeElement.textContent"), name);
      await send(page).waitFor();
      if (name === "Gift" || name === "Bounty") await accessible(page, name);
    }
    await panel(page).getByLabel("Value", { exact: true }).focus();
    await page.keyboard.type("l2");
    await page.keyboard.press("Escape");
    await panel(page).waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-keyshortcuts')"), "l", "the focus is back");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("behaviour: one of the catalog, with the metadata that it declares, by keyboard alone; the page shows it by itself", async () => {
    const { page, faults, sent } = await open("ada");
    const p = panel(page);
    assert.deepEqual(await behaviour(p).locator("option").allTextContents(), ["buy", "visit"]);
    await p.getByLabel("items").focus();
    await page.keyboard.type("two");
    await p.getByLabel("amount").focus();
    await page.keyboard.type("12.5");
    await page.keyboard.press("Enter");
    await wrong(p.getByLabel("items")).getByText("This must be a whole number.").waitFor();
    assert.equal(await p.getByLabel("items").evaluate((e) => e === document.activeElement), true, "what is wrong has the focus");
    assert.equal(sent.length, 0);
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("2");
    await p.getByLabel("express").selectOption("Yes");
    await p.getByLabel("note").fill(hostile[0]!);
    await p.getByLabel("items").press("Enter");
    await p.waitFor({ state: "detached" });
    await page.getByRole("status").getByText("Recorded: behaviour buy.").waitFor();
    assert.match(sent[0]!["id"], /^console-[0-9a-f]{24}$/);
    assert.deepEqual({ ...sent[0], id: "" }, { id: "", user: "ada", kind: "behaviour", name: "buy", meta: { amount: 12.5, items: 2, express: true, note: hostile[0] } });
    assert.equal(await page.evaluate("window.harmed"), undefined);
    await page.keyboard.press("9");
    await page.getByRole("tab", { name: "Streaks", selected: true }).waitFor();
    await page.getByRole("region", { name: "daily" }).getByText("1", { exact: true }).first().waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("without a schema metadata are names and values; Create another keeps them and sends another activity; what is ignored is told", async () => {
    const { page, faults, sent } = await open("ada");
    const p = panel(page);
    await behaviour(p).selectOption("visit");
    await p.getByText("At most 1 a day.").waitFor();
    for (const [i, [name, type, value]] of [["page", "Text", "7"], ["depth", "Number", "x"], ["bot", "Yes or no", ""]].entries()) {
      await p.getByRole("button", { name: "Add a member" }).click();
      await p.getByLabel(`Name of member ${i + 1}`).fill(name!);
      await p.getByLabel(`Type of member ${i + 1}`).selectOption(type!);
      if (value) await p.getByLabel(`Value of member ${i + 1}`).fill(value);
    }
    await p.getByLabel("Value of member 3").selectOption("No");
    await p.getByLabel("Create another").check();
    await send(page).click();
    await p.getByText("This must be a number.").waitFor();
    await accessible(page, "names and values, and a fault");
    await p.getByLabel("Value of member 2").fill("-3");
    await send(page).click();
    await p.getByText("Recorded: behaviour visit.").waitFor();
    assert.equal(await p.getByLabel("Value of member 1").inputValue(), "7", "it keeps the values");
    await send(page).click();
    await p.getByText("Recorded without effect: behaviour visit. The cap of the period is reached.").waitFor();
    assert.deepEqual(sent.map((s) => s["meta"]), Array(2).fill({ page: "7", depth: -3, bot: false }));
    assert.notEqual(sent[0]!["id"], sent[1]!["id"]);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("point: increment, set, redeem, refund on a wallet, with what they did to it; the server's errors beside their fields", async () => {
    const { page, faults, sent } = await open("ada", "Point");
    const p = panel(page);
    await p.getByLabel("Create another").check();
    assert.deepEqual(await p.getByLabel("Wallet").locator("option").allTextContents(), ["Coins (coins)", "gems"]);
    const act = async (action: string, points?: string) => {
      await p.getByRole("radio", { name: action }).check({ force: true });
      if (points !== undefined) await p.getByLabel(/Points|New balance/).fill(points);
      await send(page).click();
    };
    await act("Increment");
    await wrong(p.getByLabel("Points")).getByText("needs its value").waitFor();
    await act("Increment", "many");
    await wrong(p.getByLabel("Points")).getByText("This must be a number").waitFor();
    await accessible(page, "a refusal");
    await act("Redeem", "5");
    await wrong(p.getByLabel("Points")).getByText("lacks").waitFor();
    await act("Increment", "40");
    await p.getByText("Recorded: point coins.").waitFor();
    await p.getByRole("row", { name: "Wallet coins +40 balance 40" }).waitFor();
    await act("Redeem", "15");
    await p.getByRole("row", { name: "Wallet coins −15 balance 25" }).waitFor();
    await p.getByRole("radio", { name: "Refund" }).check({ force: true });
    await p.locator(".hint", { hasText: "15 left" }).waitFor();
    assert.equal(await p.getByLabel("What was redeemed").inputValue(), sent.at(-1)!["id"]);
    await act("Refund", "16");
    await wrong(p.getByLabel("What was redeemed")).getByText("Of it are left 15.").waitFor();
    await act("Refund", "");
    await p.getByRole("row", { name: "Wallet coins +15 balance 40" }).waitFor();
    await p.getByText("None is known; an id may be typed.").waitFor();
    await act("Set", "100");
    await p.getByRole("row", { name: "Wallet coins +60 balance 100" }).waitFor();
    await p.getByLabel("When").fill("2020-01-01T00:00");
    await act("Set", "1");
    await wrong(p.getByLabel("When")).waitFor();
    assert.match(sent.at(-1)!["at"], /^2020-01-01T00:00:00\+00:00$/);
    assert.equal(await balance("ada"), 100);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("coupon: redeem and refund", async () => {
    const { page, faults } = await open("bob", "Coupon");
    const p = panel(page);
    await p.getByText("Costs 25 coins.").waitFor();
    assert.deepEqual(await p.getByRole("combobox", { name: "Coupon" }).locator("option").allTextContents(), ["Mug (mug)"], "rewards with a price");
    await p.getByLabel("Create another").check();
    await send(page).click();
    await p.getByRole("row", { name: "Wallet coins −25 balance 75" }).waitFor();
    await p.getByRole("radio", { name: "Refund" }).check({ force: true });
    await p.locator(".hint", { hasText: "25 left" }).waitFor();
    await send(page).click();
    await p.getByRole("row", { name: "Wallet coins +25 balance 100" }).waitFor();
    await p.getByLabel("What was redeemed").fill("nothing");
    await send(page).click();
    await wrong(p.getByLabel("What was redeemed")).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("gift: from another user, who is found by name, to this one", async () => {
    const { page, faults, sent } = await open("eve", "Gift");
    const p = panel(page);
    await p.getByText("Costs 3 coins. Gives 3 coins.").waitFor();
    await send(page).click();
    await wrong(p.getByLabel("From")).waitFor();
    await p.getByLabel("From").fill("Cyd");
    await p.locator("datalist option[value=cyd]").waitFor({ state: "attached" });
    await p.getByLabel("From").fill("eve");
    await send(page).click();
    await wrong(p.getByLabel("From")).getByText("A gift goes to another user.").waitFor();
    await p.getByLabel("From").fill("cyd");
    await send(page).click();
    await page.getByRole("status").getByText("Recorded: gift coffee.").waitFor();
    assert.deepEqual({ ...sent.at(-1), id: "" }, { id: "", user: "cyd", kind: "gift", name: "coffee", meta: { to: "eve" } });
    await until(async () => (await balance("eve")) === 3, "the gift");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("bounty: start, cancel, award to somebody", async () => {
    const { page, faults } = await open("dan", "Bounty");
    const p = panel(page);
    await p.getByLabel("Create another").check();
    const action = (name: string) => p.getByRole("radio", { name }).check({ force: true });
    await p.getByLabel("Points").fill("5");
    await send(page).click();
    await wrong(p.getByLabel("Points")).getByText("within 10 and 100").waitFor();
    for (const left of [80, 60]) {
      await p.getByLabel("Points").fill("20");
      await send(page).click();
      await p.getByRole("row", { name: `Wallet coins −20 balance ${left}` }).waitFor();
    }
    await action("Cancel");
    await p.locator(".hint", { hasText: "20 left" }).waitFor();
    await send(page).click();
    await p.getByRole("row", { name: "Wallet coins +20 balance 80" }).waitFor();
    await action("Award");
    await p.getByLabel("To", { exact: true }).fill("nobody");
    await send(page).click();
    await wrong(p.getByLabel("To", { exact: true })).getByText("does not know this user").waitFor();
    await p.getByLabel("To", { exact: true }).fill("eve");
    await send(page).click();
    await p.getByText("Recorded: bounty bug.").waitFor();
    await until(async () => (await balance("eve")) >= 20, "the award");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("what nobody answered for is sent again as the same activity, and counts once; the request log has all of it", async () => {
    const { page, sent } = await open("ada", "Point");
    const p = panel(page);
    await p.getByLabel("Create another").check();
    await p.getByRole("radio", { name: "Increment" }).check({ force: true });
    await p.getByLabel("Points").fill("1");
    const had = await balance("ada");
    let cut = true;
    let lose = () => {};
    const held = new Promise<void>((resolve) => (lose = resolve));
    await page.route("**/v1/activities", async (route) => {
      if (!cut) return route.continue();
      await route.fetch(); // it is stored, and the answer is lost
      await held;
      await route.abort();
    });
    await send(page).click();
    await p.getByRole("button", { name: "Sending" }).waitFor();
    await page.keyboard.press("Escape");
    await p.waitFor({ state: "detached" });
    lose();
    await page.keyboard.press("l");
    await p.getByRole("alert").getByText("cannot be reached").waitFor();
    cut = false;
    await send(page).click();
    await p.getByText("Recorded before: point coins.").waitFor();
    assert.equal(sent[0]!["id"], sent[1]!["id"]);
    assert.equal(await balance("ada"), had + 1);
    await send(page).click();
    await p.getByText("Recorded: point coins.").waitFor();
    assert.notEqual(sent[2]!["id"], sent[1]!["id"]);
    const log = p.getByRole("region", { name: "Request log" });
    await log.getByRole("button", { name: /Request log/ }).click();
    for (const kind of ["req", "res", "err", "poll"]) await log.locator(`.kind.${kind}`).first().waitFor();
    const entry = log.locator(".entry", { hasText: "POST /v1/activities · point coins" }).last();
    await entry.locator("summary").click();
    await entry.locator("pre").getByText(sent[0]!["id"] as string).waitFor();
    assert.equal(await log.getByText("GET /v1/catalog").count(), 0, "of submissions only");
    await log.getByRole("button", { name: "Expand" }).click();
    const [outer, inner] = [await p.boundingBox(), await log.boundingBox()];
    assert.ok(inner!.height > outer!.height - 4 && inner!.width <= outer!.width, "it fills the panel");
    await accessible(page, "the log in the panel");
    await log.getByRole("button", { name: "Clear" }).click();
    await log.getByText("Nothing was sent yet.").waitFor();
    await page.context().close();
  });
});
