// Live boards in a browser, against a real server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { accessible } from "./axe.js";
import { World, hostile, populate, until } from "./world.js";

const world = new World();
let key: string;
const people = 1_100;

const row = (page: Page, n: number) => page.locator(`.board .rows .row[aria-rowindex="${n + 1}"]`);
const text = async (page: Page, n: number) => (await row(page, n).innerText()).replace(/\s+/g, " ");

async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${world.node.url}${path}#key=${key}`);
  await page.locator(".pulse[data-state=live]").waitFor();
}

describe("live boards", () => {
  before(async () => {
    await world.open();
    await populate(world, 120);
    await world.did(Array.from({ length: people }, (_, i) => [`w${String(i).padStart(4, "0")}`, 1, 0] as const));
    key = await world.publicKey(world.node.url);
  });
  after(() => world.close());

  test("the key leaves the address and stays in the tab; a wrong one is refused beside its field", async () => {
    const { page, faults } = await world.page();
    await open(page, "/live/points/day");
    assert.equal(page.url(), `${world.node.url}/live/points/day`);
    assert.deepEqual(await page.evaluate("[sessionStorage['laurel.key'], JSON.stringify(localStorage), document.cookie]"), [key, "{}", ""]);
    await page.reload();
    await page.locator(".pulse[data-state=live]").waitFor();
    await page.evaluate("sessionStorage.clear()");
    await page.reload();
    await page.getByLabel("API key").fill("pk_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#key-wrong").waitFor();
    assert.equal(await page.getByLabel("API key").getAttribute("aria-describedby"), "key-wrong");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("the board is that of REST; a move is seen at once, and animated", async () => {
    const { page, faults } = await world.page();
    await open(page, "/live/points/day");
    const { rows, total } = await world.call("GET", "/v1/leaderboards/points/day?limit=5&fields=profile");
    for (const [i, r] of rows.entries()) assert.match(await text(page, i + 1), new RegExp(`^${r.rank} .*${r.profile?.name ?? r.user}.* ${r.score}`));
    await page.getByText(`${total.toLocaleString("en-GB")} users`).waitFor();
    await page.getByText(/^Ends in \d+ ?(h|m|s)/).waitFor();
    await page.evaluate(`window.flown = 0; const real = Element.prototype.animate; Element.prototype.animate = function (...a) { window.flown++; return real.apply(this, a); }`);
    const third = rows[2].user as string;
    await world.did([[third, 5_000]]);
    await until(async () => (await text(page, 1)).includes("▲2"), "the third leads");
    assert.ok(((await page.evaluate("window.flown")) as number) >= 3, "three rows have flown");
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.evaluate("window.flown = 0");
    await world.did([[rows[1].user, 20_000]]);
    await until(async () => (await text(page, 1)).includes(rows[1].profile?.name ?? rows[1].user), "the next leads");
    assert.equal(await page.evaluate("window.flown"), 0, "who wants no motion sees none");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("of a thousand rows those that are seen are in the page, and all can be reached", async () => {
    const { page, faults } = await world.page();
    await open(page, "/live/points/day");
    const count = () => page.locator(".board .rows .row").count();
    assert.ok((await count()) < 60, `${await count()} rows`);
    assert.equal(await page.getByRole("table").getAttribute("aria-rowcount"), String(people + 120 + 1));
    await page.getByText(`The first 1,000 of ${(people + 120).toLocaleString("en-GB")} are shown.`).waitFor();
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await row(page, 1_000).waitFor();
    assert.ok((await count()) < 60, `${await count()} rows at the end`);
    const order = await page.locator(".board .rows .row").evaluateAll((list) => list.map((r) => Number(r.getAttribute("aria-rowindex"))));
    assert.deepEqual(order, [...order].sort((a, b) => a - b), "they are read in the order that is seen");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("somebody is followed: the own row where it is out of sight, around it, and by keyboard alone", async () => {
    const { page, faults } = await world.page();
    await open(page, "/live/points/day");
    await page.getByLabel("Follow a user").focus();
    await page.keyboard.type("w0100");
    await page.keyboard.press("Enter");
    const mine = page.getByRole("complementary", { name: "Where w0100 is" });
    await mine.getByText(/#\d+/).waitFor();
    assert.match(page.url(), /\?user=w0100$/);
    await page.getByRole("button", { name: "Around w0100" }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".board .rows .row.me").getByText("w0100").waitFor();
    await mine.waitFor({ state: "detached" });
    assert.match(page.url(), /view=around/);
    await page.reload();
    await page.locator(".board .rows .row.me").getByText("w0100").waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("a user's score and rank of thirty days, as a chart and as a table", async () => {
    const { page, faults } = await world.page();
    await open(page, "/live/points/day");
    await page.locator(".board .rows .link").first().click();
    await page.locator(".chart canvas").waitFor();
    await page.getByText("As a table").click();
    assert.equal(await page.locator("dialog tbody tr").count(), 30);
    const today = await page.locator("dialog tbody tr").first().innerText();
    const { rows } = await world.call("GET", "/v1/leaderboards/points/day?limit=1");
    assert.equal(today.replaceAll(",", "").split("\t").slice(-2).join(), `${rows[0].score},1`);
    await accessible(page, "the history");
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("the history of a segment's board is that of the segment", async () => {
    const { page, faults } = await world.page();
    await world.did([["anna", 1, 1]]);
    await world.call("PUT", "/v1/users/anna", { attributes: { country: "AT" } });
    await world.did([["anna", 1]]);
    await open(page, "/live/visits/day?segment=AT");
    await page.locator(".board .rows .link").first().click();
    await page.locator(".chart canvas").waitFor();
    await page.getByText("As a table").click();
    const days = await page.locator("dialog tbody tr").evaluateAll((list) => list.slice(0, 2).map((row) => [...row.querySelectorAll(".number")].map((cell) => cell.textContent)));
    assert.deepEqual(days, [["1", "1"], ["–", "–"]], "alone today, and nowhere yesterday: on everyone's board she is at neither");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("hostile names are text, and have their own direction", async () => {
    const { page, faults } = await world.page();
    for (const [i, name] of hostile.entries()) await world.call("PUT", `/v1/users/h${i}`, { name });
    await world.did(hostile.map((_, i) => [`h${i}`, 100_000 - i] as const));
    await open(page, "/live/points/day");
    await until(async () => (await row(page, 1).locator(".link").textContent()) === hostile[0], "the first");
    assert.deepEqual(await page.locator(".board .rows .link").evaluateAll((list) => list.slice(0, 5).map((e) => e.textContent)), hostile);
    assert.equal(await page.evaluate("window.harmed"), undefined);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("a period ends: the next one begins by itself", async () => {
    const { page } = await world.page();
    await open(page, "/live/visits/day");
    await row(page, 1).waitFor();
    await world.node.setClock(new Date(Date.now() + 86_400_000).toISOString());
    await page.getByText("Nobody is on this board yet.").waitFor();
    await page.locator("#news").getByText("has begun").waitFor({ state: "attached" });
    await world.node.setClock(null);
    await page.context().close();
  });

  test("boards that are not there say so; a lost server is shown and comes back", async () => {
    const { page } = await world.page();
    await open(page, "/live/points/day");
    await page.goto(`${world.node.url}/live/nothing/day`);
    await page.getByRole("alert").getByText("rule_not_found").waitFor();
    await page.getByLabel("Board").selectOption("points");
    await row(page, 1).waitFor();
    await world.node.stop();
    await page.locator(".pulse[data-state=stale]").getByText("Reconnecting").waitFor();
    assert.ok((await page.locator(".board .rows .row").count()) > 10, "what was shown stays");
    await world.node.start();
    await page.locator(".pulse[data-state=live]").waitFor();
    await page.context().close();
  });

  test("axe finds no serious fault", async () => {
    const { page } = await world.page();
    await page.goto(`${world.node.url}/live`);
    await page.getByLabel("API key").waitFor();
    await accessible(page, "signing in");
    await open(page, "/live/points/day?user=w0100");
    await row(page, 1).waitFor();
    await accessible(page, "the board");
    await page.setViewportSize({ width: 390, height: 844 });
    await accessible(page, "the board on a phone");
    await page.context().close();
  });
});
