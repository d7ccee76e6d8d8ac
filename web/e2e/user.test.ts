// The page of a user in a browser, against a real server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { accessible } from "./axe.js";
import { makeAda, shopOfEverything } from "./person.js";
import { World, hostile, key, until } from "./world.js";

const world = new World(shopOfEverything);

/** Opens the page of a user, signed in. */
async function open(path = "/console/users/ada", width = 1440): Promise<{ page: Page; faults: string[] }> {
  const opened = await world.page({ viewport: { width, height: 900 } });
  await opened.page.addInitScript(`sessionStorage.setItem("laurel.key", "${key}"); sessionStorage.setItem("laurel.org", "shop")`);
  await opened.page.goto(world.node.url + path);
  return opened;
}

const live = (page: Page) => page.locator(".pulse[data-state=live]").waitFor();
const panel = (page: Page) => page.getByRole("tabpanel");
const chosenTab = (page: Page) => page.locator("[role=tab][aria-selected=true]").innerText();
const stat = (page: Page, name: string) => page.locator(".stats li", { hasText: name });
const texts = (page: Page, what: string) => page.locator(what).allInnerTexts();

/** Presses a key where nothing is typed into. */
async function press(page: Page, key: string): Promise<void> {
  await page.locator("#main").focus();
  await page.keyboard.press(key);
}

describe("the page of a user", () => {
  before(async () => {
    await world.open();
    await makeAda(world);
    for (const [i, name] of hostile.entries()) {
      await world.call("POST", "/v1/activities", { id: "x", user: `h${i}`, name: "buy", value: 1, meta: { item: name } });
      await world.call("PATCH", `/v1/users/h${i}`, { name, first_name: name, tags: [name.slice(0, 30)], fields: { plan: name }, attributes: { note: name }, settings: { odd: name } });
    }
  });
  after(() => world.close());

  test("header, hero and the bar of stats, by few requests that go out together", async () => {
    const { page, faults } = await world.page();
    await page.addInitScript(`sessionStorage.setItem("laurel.key", "${key}"); sessionStorage.setItem("laurel.org", "shop")`);
    const asked: string[] = [];
    page.on("request", (request) => request.url().includes("/v1/") && asked.push(new URL(request.url()).pathname));
    await page.goto(`${world.node.url}/console/users`);
    await page.getByRole("link", { name: "View Ada L." }).click();
    await live(page);
    assert.equal(await page.locator("h1").innerText(), "Ada L.");
    const crumbs = page.getByRole("navigation", { name: "Breadcrumb" });
    assert.equal((await crumbs.innerText()).replace(/\s+/g, " "), "Users / Ada L.");
    const hero = await page.getByRole("region", { name: "Who it is" }).innerText();
    for (const text of ["Ada Lovelace", "ada", "ada@shop.example", "vip", "beta"]) assert.ok(hero.includes(text), `${text} in ${hero}`);
    assert.equal(await page.locator(".hero .avatar").innerText(), "AL");
    await stat(page, "Gifts").locator(".gained", { hasText: "+1" }).waitFor();
    const shown = (await texts(page, ".stats li")).map((text) => text.replace(/\s*, gained in the last month:\s*/, " ").replace(/\s+/g, " "));
    assert.deepEqual(shown.map((text) => text.split(" ")[0]), ["Activities", "Rewards", "Achievements", "Levels", "Gifts", "Missions", "KPIs", "Coupons"]);
    assert.equal(shown[0], "Activities 119 +119");
    for (const text of ["Rewards 2 +2", "Levels 2 +2", "Gifts 1 +1", "Missions 1 +1", "Coupons 2 +2"]) assert.ok(shown.includes(text), `${text} in ${shown.join(", ")}`);
    await page.locator(".peek li").first().waitFor();
    const before = asked.length;
    assert.ok(asked.filter((path) => path.startsWith("/v1/users/ada")).length <= 8, asked.join(" "));
    await press(page, "3");
    await panel(page).getByRole("table", { name: "Wallets" }).waitFor();
    assert.ok(asked.slice(before).every((path) => /ada(\/wallets\/xp)?$/.test(path)), asked.slice(before).join(" "));
    await crumbs.getByRole("link", { name: "Users" }).click();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("tabs by keys, arrows and links; the address keeps which; shortcuts are listed, and off while typing", async () => {
    const { page, faults } = await open();
    await live(page);
    const names = ["Overview", "Activity", "Points", "Rewards", "KPIs", "Coupons", "Leaderboards", "Settings", "Streaks"];
    assert.deepEqual(await texts(page, "[role=tab]"), names);
    for (const [i, name] of names.entries()) {
      await press(page, String(i + 1));
      assert.equal(await chosenTab(page), name);
      assert.match(page.url(), new RegExp(`#${name.toLowerCase()}$`));
      assert.equal(await page.evaluate("document.activeElement.textContent"), name, "the tab has the focus");
      assert.equal(await page.locator("[role=tab][tabindex='0']").count(), 1);
      assert.equal(await panel(page).locator("> *").count(), 1, "nothing is there that is not shown");
    }
    await page.keyboard.press("ArrowRight");
    assert.equal(await chosenTab(page), "Overview");
    await page.keyboard.press("End");
    assert.equal(await chosenTab(page), "Streaks");
    await press(page, "5");
    await page.reload();
    await panel(page).getByRole("table", { name: "KPIs" }).waitFor();
    assert.equal(await chosenTab(page), "KPIs");
    await press(page, "?");
    const help = page.getByRole("dialog", { name: "Shortcuts" });
    for (const text of ["Edit the user", "Log an activity", "Block the user", "Unblock the user", "Tab: Settings"]) await help.getByText(text, { exact: true }).waitFor();
    await page.keyboard.press("3");
    assert.equal(await chosenTab(page), "KPIs");
    await page.keyboard.press("Escape");
    await press(page, "2");
    await page.locator("#activity-name").fill("");
    await page.locator("#activity-name").pressSequentially("1eblu");
    assert.equal(await chosenTab(page), "Activity");
    assert.equal(await page.locator("dialog[open]").count(), 0);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("overview: a card for each, and View all", async () => {
    const { page } = await open();
    const card = (name: string) => page.getByRole("region", { name, exact: true });
    await card("Recent activity").getByText("coffee").waitFor();
    assert.equal(await card("Recent activity").locator("li").count(), 5);
    for (const [name, text] of [["Balances", "Coins"], ["Coupons", "12.5 coins"], ["Rewards", "Raffle"], ["Leaderboard positions", "points"]] as const) await card(name).getByText(text).first().waitFor();
    for (const [name, tab] of [["Recent activity", "Activity"], ["Balances", "Points"], ["Rewards", "Rewards"], ["Coupons", "Coupons"], ["Leaderboard positions", "Leaderboards"]] as const) {
      await card(name).getByRole("link", { name: "View all" }).click();
      assert.equal(await chosenTab(page), tab);
      await press(page, "1");
    }
    await page.context().close();
  });

  test("activity: pages, filters, order, and rejecting by keyboard, which undoes everything; restoring brings it back", async () => {
    const { page, faults } = await open("/console/users/ada#activity");
    const rows = page.locator(".activities tbody tr");
    await until(async () => (await rows.count()) === 50, "a page");
    await page.getByRole("button", { name: "Show more" }).click();
    await until(async () => (await rows.count()) === 100, "two pages");
    await page.getByRole("button", { name: "Show more" }).click();
    await until(async () => (await rows.count()) === 120, "all of them");
    await page.getByLabel("Kind").selectOption("coupon");
    await until(async () => (await rows.count()) === 2, "coupons");
    await page.getByLabel("Kind").selectOption("");
    await page.getByLabel("Name").fill("review");
    await until(async () => (await rows.count()) === 4, "reviews");
    await page.getByLabel("Name").fill("buy");
    await page.getByRole("columnheader", { name: "Value" }).getByRole("button").click();
    const values = async () => (await texts(page, ".activities tbody tr td.number:nth-of-type(3)")).map(Number);
    const ordered = async (sign: number) => {
      const list = await values();
      return list.length === 50 && list.every((n, i) => i === 0 || sign * (n - list[i - 1]!) >= 0);
    };
    await until(() => ordered(-1), "the greatest first");
    assert.equal(await page.getByRole("columnheader", { name: "Value" }).getAttribute("aria-sort"), "descending");
    await page.getByRole("columnheader", { name: "Value" }).getByRole("button").click();
    await until(() => ordered(1), "the least first");
    await page.getByRole("columnheader", { name: "When" }).getByRole("button").click();
    await page.getByLabel("Name").fill("");
    await until(async () => (await rows.first().innerText()).includes("coffee"), "the newest first");

    await page.getByLabel("Name").fill("review");
    await until(async () => (await rows.count()) === 4, "reviews");
    await rows.first().getByRole("button").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Reject" }).waitFor();
    await accessible(page, "the menu of an activity");
    await page.keyboard.press("Enter");
    await page.getByLabel("Reason").waitFor();
    await page.keyboard.type("fraud");
    await page.keyboard.press("Enter");
    await rows.first().getByText("Rejected").waitFor();
    await rows.first().getByText("fraud").waitFor();
    await until(async () => /^118/.test(await stat(page, "Activities").locator("strong").innerText()), "one less counts");
    await page.getByLabel("Status").selectOption("rejected");
    await until(async () => (await rows.count()) === 1, "the rejected one");
    await page.getByLabel("Status").selectOption("");
    await until(async () => (await rows.count()) === 4, "reviews");
    await rows.first().getByRole("button").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Restore" }).waitFor();
    await page.keyboard.press("Enter");
    await rows.first().getByText("Accepted").waitFor();
    await until(async () => /^119/.test(await stat(page, "Activities").locator("strong").innerText()), "it counts again");

    await page.getByLabel("Name").fill("coffee");
    await until(async () => (await rows.count()) === 1, "what was received");
    await rows.first().getByRole("button").click();
    await page.getByRole("menuitem", { name: "Reject" }).click();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await page.keyboard.press("Escape");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("points, rewards, KPIs, coupons and leaderboards say what the server says", async () => {
    const { page, faults } = await open("/console/users/ada#points");
    const row = (name: string | RegExp) => panel(page).getByRole("row", { name });
    const wallet = (await world.call("GET", "/v1/users/ada/wallets/coins")) as { balance: number; earned: number };
    const n = (value: number) => new Intl.NumberFormat("en-GB").format(value);
    await row(/^Coins/).waitFor();
    assert.deepEqual((await row(/^Coins/).locator("td").allInnerTexts()).slice(0, 6), [n(wallet.balance), n(wallet.earned), "25", "4", "1", "–"]);
    await panel(page).getByRole("columnheader", { name: "Expired" }).waitFor();
    await row(/^Coins/).getByRole("button").click();
    await panel(page).getByRole("table", { name: "Rows of Coins" }).getByText("from bob").waitFor();
    await panel(page).getByText("−12.5").first().waitFor();

    await press(page, "4");
    const goal = (name: string) => page.locator(".goal", { has: page.getByRole("heading", { name, exact: true }) });
    await goal("All-rounder").waitFor();
    assert.equal(await page.locator(".goal").count(), 53);
    const parts = (await goal("All-rounder").locator(".parts li").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").replace(" ,", ","));
    assert.deepEqual(parts.map((text) => text.replace(/^[✓○] /, "").replace("30 of 30", "n of 30")), ["buy, met 20 of 20", "review 4 of 10", "Streak daily, met n of 30", "Level tier 2 of 3"]);
    await page.getByRole("button", { name: /^Completed/ }).click();
    await until(async () => (await goal("First purchase").count()) === 1 && (await goal("All-rounder").count()) === 0, "the completed ones");
    await page.getByRole("button", { name: /^In progress/ }).click();
    await until(async () => (await goal("Critic").count()) === 1 && (await goal("First purchase").count()) === 0, "those in progress");
    await page.getByRole("button", { name: /^Available/ }).click();
    await until(async () => (await goal("Critic").count()) === 0, "the others");
    await page.getByRole("button", { name: /^Given/ }).click();
    await until(async () => (await page.locator(".goal").count()) === 0, "the given ones alone");
    await row(/Mug Issued achievement first-buy .* MUG-/).waitFor();
    await row(/Raffle 3 entries/).waitFor();

    await press(page, "5");
    for (const [name, period] of [["Daily", "Sales"], ["Weekly", "Feedback"], ["Monthly", "Sales"], ["Quarterly", "Sales"], ["Yearly", "Sales"]] as const) {
      await page.getByRole("button", { name }).click();
      await row(new RegExp(`^${period}`)).waitFor();
    }
    const yearly = ((await world.call("GET", "/v1/users/ada/kpis?cycle=year")) as { kpis: { value: number; target: number; percent: number }[] }).kpis[0]!;
    assert.deepEqual((await row(/^Sales/).locator("td").allInnerTexts()).slice(1, 4), [n(yearly.value), n(yearly.target), `${n(yearly.percent)} %`]);

    await press(page, "6");
    await row(/Voucher .* V-\w+ Redeemed .* 12.5 coins/).waitFor();
    await row(/Voucher .* V-\w+ Issued .* – 12.5 coins/).waitFor();
    await panel(page).getByText("Spent on coupons: 25 coins").waitFor();

    await press(page, "7");
    const { ranks } = (await world.call("GET", "/v1/users/ada/ranks")) as { ranks: { rule: string; cycle: string; rank: number; previous_rank?: number; score: number }[] };
    const today = ranks.find(({ rule, cycle }) => rule === "points" && cycle === "day")!;
    await row(new RegExp(`^points Today ${today.rank} of 10`)).waitFor();
    assert.equal(await panel(page).locator("tbody tr").filter({ hasText: /^\s*(points|visits|reviews)/ }).count(), 10);
    assert.equal((await row(/^points Today/).locator("td").last().innerText()).trim(), n(today.score));
    const by = today.previous_rank! - today.rank;
    assert.match(await row(/^points Today/).innerText(), by > 0 ? new RegExp(`up\\s+${by}`) : by < 0 ? new RegExp(`down\\s+${-by}`) : /=/);
    await page.locator(".chart canvas").waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("edit: everything by its type, and what the server refuses stands beside its field", async () => {
    const { page, faults } = await open("/console/users/bob");
    await live(page);
    await press(page, "e");
    const dialog = page.getByRole("dialog", { name: /^Edit/ });
    const field = (name: string) => dialog.getByLabel(name, { exact: true });
    await field("visits (integer)").waitFor();
    for (const [name, wrong, said, right] of [
      ["E-mail", "ada@shop.example", /Another user has this/, "bobby@shop.example"],
      ["Country", "Atlantis", /ISO 3166/, "FR"],
      ["Language", "??", /BCP 47/, "fr"],
      ["Time zone", "Mars/Base", /IANA/, "Europe/Paris"],
      ["visits (integer)", "many", /declares this as integer/, "12"],
    ] as const) {
      await field(name).fill(wrong);
      await page.keyboard.press("Enter");
      await dialog.locator(".field", { has: page.getByLabel(name, { exact: true }) }).getByText(said).waitFor();
      assert.equal(await field(name).getAttribute("aria-invalid"), "true");
      assert.equal(await field(name).evaluate((e) => e === document.activeElement), true, "the field has the focus");
      await field(name).fill(right);
    }
    await accessible(page, "editing");
    await field("Display name").fill("Bobby");
    await field("Tags, with commas between them").fill("fast, @Gold");
    await field("member").selectOption("true");
    await field("revenue (number)").fill("7.25");
    await field("New attribute").fill("shoe");
    await field("Its value").fill("44");
    await dialog.getByRole("button", { name: "Add" }).click();
    await field("Display name").focus();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("heading", { level: 1, name: "Bobby" }).waitFor();
    await page.locator(".hero").getByText("@Gold").waitFor();
    const bob = await world.call("GET", "/v1/users/bob");
    const { created_at: _, ...profile } = bob.profile;
    assert.deepEqual([bob.timezone, bob.attributes, profile], ["Europe/Paris", { shoe: "44" }, {
      name: "Bobby", email: "bobby@shop.example", language: "fr", country: "FR", tags: ["fast", "@Gold"], fields: { visits: 12, member: true, revenue: 7.25 } }]);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("block and unblock by keyboard: the user is marked, here and in the table, and nothing is lost", async () => {
    const { page } = await open("/console/users/cyd#activity");
    await live(page);
    await press(page, "u");
    await page.getByRole("button", { name: "Block", exact: true }).waitFor();
    await press(page, "b");
    await page.getByRole("button", { name: "Unblock" }).waitFor();
    await page.locator(".hero.blocked").getByText("Blocked", { exact: true }).waitFor();
    await world.call("POST", "/v1/activities", { id: "late", user: "cyd", name: "buy", value: 5 });
    await page.locator(".activities tbody tr").first().getByText("Ignored").waitFor();
    assert.equal(await stat(page, "Activities").locator("strong").innerText(), "2");
    await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link").click();
    await page.locator(".users tr.blocked").getByText("cyd").waitFor();
    await page.getByRole("link", { name: "View cyd" }).click();
    await live(page);
    await press(page, "u");
    await page.getByRole("button", { name: "Block", exact: true }).waitFor();
    assert.equal(await page.locator(".hero.blocked").count(), 0);
    await page.context().close();
  });

  test("settings: notifications, opting in and out, streaks and boards", async () => {
    const { page, faults } = await open("/console/users/ada#settings");
    const turn = (name: string) => page.getByRole("switch", { name: new RegExp(`^${name}`) });
    await turn("Levels").waitFor();
    assert.deepEqual([await turn("Streaks").isChecked(), await turn("Levels").isChecked(), await turn("newsletter").isChecked()], [false, true, true]);
    const settings = async () => (await world.call("GET", "/v1/users/ada")) as { hidden?: boolean; profile: { settings: Record<string, unknown> }; streaks: { rule: string; opted_out?: boolean }[] };
    await turn("Levels").focus();
    await page.keyboard.press("Space");
    const told = async () => (await settings()).profile.settings["notifications"] as Record<string, boolean>;
    await until(async () => (await told())["levels"] === false, "told no more");
    assert.deepEqual(await told(), { levels: false, streaks: false });
    await turn("newsletter").click();
    await until(async () => (await settings()).profile.settings["newsletter"] === false, "opted out");
    await page.getByLabel("Another one").fill("beta programme");
    await page.keyboard.press("Enter");
    await turn("beta programme").waitFor();
    await page.getByRole("button", { name: "Remove beta programme" }).click();
    await turn("beta programme").waitFor({ state: "detached" });
    await page.getByLabel("Another one").fill("x".repeat(4_100));
    await page.keyboard.press("Enter");
    await page.locator("#new-flag-wrong").getByText("4,096 bytes").waitFor();
    await turn("Streak critic").click();
    await until(async () => (await settings()).streaks.some((s) => s.rule === "critic" && s.opted_out === true), "no such streak");
    await turn("Shown on leaderboards").click();
    await until(async () => (await settings()).hidden === true, "hidden");
    await page.locator(".hero").getByText("Hidden").waitFor();
    await turn("Shown on leaderboards").click();
    await turn("Streak critic").click();
    await until(async () => !(await settings()).hidden && (await settings()).streaks.every((s) => !s.opted_out), "as before");
    assert.equal((await settings()).profile.settings["theme"], "dark");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("what comes from elsewhere appears by itself; a lost connection is shown, and heals", async () => {
    const { page } = await open("/console/users/dan#activity");
    await live(page);
    const rows = page.locator(".activities tbody tr");
    await until(async () => (await rows.count()) === 2, "what there is");
    await world.call("POST", "/v1/activities", { id: "new", user: "dan", name: "review" });
    await rows.first().getByText("review").waitFor();
    await until(async () => (await stat(page, "Activities").innerText()).replace(/\D+/g, " ").trim() === "3 3", "the stats and what was gained");
    await press(page, "3");
    const xp = () => panel(page).getByRole("row", { name: /^XP/ }).locator("td").first().innerText();
    await until(async () => (await xp()) === "20", "before");
    await world.call("POST", "/v1/activities", Array.from({ length: 40 }, (_, i) => ({ id: `many${i}`, user: "dan", name: "buy", value: 1 })));
    await until(async () => (await xp()) === "420", "after");
    await world.node.stop();
    await page.getByRole("alert").getByText("The connection is lost").waitFor();
    await page.locator(".pulse", { hasText: "Reconnecting" }).waitFor();
    await world.node.start();
    await world.call("POST", "/v1/activities", { id: "back", user: "dan", name: "buy", value: 1 });
    await live(page);
    await until(async () => (await xp()) === "430", "fresh again");
    await until(async () => (await page.getByRole("alert").count()) === 0, "no more alerts");
    await press(page, "r");
    const log = page.getByRole("region", { name: "Request log" });
    for (const kind of ["REQ", "RES", "POLL"]) await log.locator(".kind", { hasText: kind }).first().waitFor();
    await page.goto(`${world.node.url}/console/users/nobody`);
    await page.getByRole("alert").getByText("knows no such user").waitFor();
    assert.equal(await page.getByRole("tab").count(), 0);
    await press(page, "r");
    await log.locator(".kind", { hasText: "ERR" }).first().waitFor();
    await page.context().close();
  });

  test("hostile names are text on every tab, and nothing is wider than a phone", async () => {
    const { page, faults } = await open("/console/users/h0", 390);
    for (const [i, name] of hostile.entries()) {
      await page.goto(`${world.node.url}/console/users/h${i}#activity`);
      await until(async () => (await page.locator("h1").textContent()) === name, name);
      await page.locator(".activities tbody tr").waitFor();
      for (const tab of i === 0 ? ["1", "3", "4", "5", "6", "7", "8", "9", "e"] : ["1", "8"]) {
        await press(page, tab);
        await until(async () => (await page.getByText("Reading", { exact: true }).count()) === 0, `tab ${tab}`);
        assert.ok((await page.evaluate("document.documentElement.scrollWidth")) as number <= 390, `tab ${tab} is wider than the page`);
      }
    }
    assert.equal(await page.evaluate("window.harmed"), undefined);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("axe finds no serious fault on any tab", async () => {
    const { page } = await open("/console/users/ada");
    await live(page);
    for (const tab of ["1", "2", "3", "4", "5", "6", "7", "8"]) {
      await press(page, tab);
      await until(async () => (await page.locator(".reading").count()) === 0, "the tab");
      await accessible(page, `tab ${tab}`);
    }
    await world.call("POST", "/v1/users/eva/block");
    await page.goto(`${world.node.url}/console/users/eva`);
    await page.locator(".hero.blocked").waitFor();
    await accessible(page, "somebody who is blocked");
    await page.context().close();
  });
});
