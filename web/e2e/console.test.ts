// The console in a browser, against a real server.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { accessible } from "./axe.js";
import { World, hostile, key, populate, until } from "./world.js";

const world = new World();

async function signIn(page: Page, path = "/console"): Promise<void> {
  await page.goto(world.node.url + path);
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Console" }).waitFor();
}

/** Chooses the org with the people. */
async function inShop(page: Page, path = "/console"): Promise<void> {
  await signIn(page, path);
  await page.getByLabel("Organisation").selectOption("shop");
}

const names = (page: Page) => page.locator(".users .name").allTextContents();

describe("the console", () => {
  before(async () => {
    await world.open();
    await populate(world, 120);
    await world.call("POST", "/v1/users/u0007/block");
    await world.call("POST", "/v1/users/u0008/hide");
    for (const [i, name] of hostile.entries()) await world.call("PUT", `/v1/users/h${i}`, { name });
  });
  after(() => world.close());

  test("signing in: a wrong key and a public one are refused beside the field; a good one stays in the tab only", async () => {
    const { page, faults } = await world.page();
    await page.goto(`${world.node.url}/console`);
    const field = page.getByLabel("API key");
    for (const [given, said] of [["sk_wrong", /key/], [await world.publicKey(world.node.url), /secret key/], ["ключ", /not a key/]] as const) {
      await field.fill(given);
      await page.keyboard.press("Enter");
      await page.locator("#key-wrong").getByText(said).waitFor();
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.equal(await field.evaluate((e) => e === document.activeElement), true, "the field has the focus");
    }
    await field.fill(key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Users" }).waitFor();
    assert.deepEqual(await page.evaluate("[sessionStorage['laurel.key'], JSON.stringify(localStorage), document.cookie, location.href]"), [key, "{}", "", `${world.node.url}/console`]);
    await page.reload();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await field.waitFor();
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("the org chooser changes whose users are shown, and is remembered", async () => {
    const { page } = await world.page();
    await signIn(page);
    await page.getByText("Nobody here yet").waitFor();
    await page.getByLabel("Organisation").selectOption("shop");
    await page.getByText("125 in this organisation").waitFor();
    await page.reload();
    await page.getByText("125 in this organisation").waitFor();
    await page.context().close();
  });

  test("the user table: pages, search by keyboard, filters, order, what is blocked, View", async () => {
    const { page, faults } = await world.page();
    await inShop(page);
    await until(async () => (await names(page)).length === 50, "a page");
    await page.getByRole("button", { name: "Show more" }).click();
    await until(async () => (await names(page)).length === 100, "two pages");
    assert.equal(new Set(await names(page)).size, 100);
    await page.getByLabel("Order").selectOption("created_at");
    await until(async () => !(await names(page)).includes(hostile[0]!), "the oldest first");
    await page.locator("body").click({ position: { x: 5, y: 300 } });
    await page.keyboard.press("/");
    await page.keyboard.type("u0007");
    await until(async () => (await names(page)).length === 1, "one is found");
    assert.equal(await page.getByLabel(/^Search/).inputValue(), "u0007");
    assert.equal(await page.locator(".users tr.blocked").getByText("Blocked").count(), 1);
    assert.match(page.url(), /\?search=u0007/);
    await page.reload();
    await until(async () => (await names(page)).length === 1, "the address says what is searched");
    await page.getByLabel(/^Search/).fill("nobody at all");
    await page.getByText("Nobody is found by “nobody at all”.").waitFor();
    await page.getByLabel(/^Search/).fill("");
    await page.locator("#only").selectOption("hidden");
    await until(async () => (await names(page)).length === 1, "the hidden one");
    await page.getByRole("link", { name: /^View / }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    assert.match(page.url(), /\/console\/users\/u0008$/);
    await page.goBack();
    await until(async () => (await names(page)).length > 0, "back");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("a user's page follows the user, and hostile names are text", async () => {
    const { page, faults } = await world.page();
    await inShop(page, "/console/users/u0001#leaderboards");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator(".chart canvas").waitFor();
    await world.did([["u0001", 50_000]]);
    await page.getByRole("row", { name: /points Today 1 of/ }).waitFor();
    for (const [i, name] of hostile.entries()) {
      await page.goto(`${world.node.url}/console/users/h${i}`);
      await until(async () => (await page.locator("h1").textContent()) === name, name);
    }
    await page.goto(`${world.node.url}/console/users`);
    await until(async () => hostile.every((name) => name) && (await names(page)).filter((n) => hostile.includes(n)).length === hostile.length, "all of them in the table");
    assert.equal(await page.evaluate("window.harmed"), undefined);
    await page.goto(`${world.node.url}/console/users/${encodeURIComponent("no/body")}`);
    await page.getByRole("alert").getByText("knows no such user").waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("shortcuts go where help says, and are off while typing", async () => {
    const { page } = await world.page();
    await inShop(page);
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.locator("#main").focus();
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Boards" }).waitFor();
    await page.getByRole("link", { name: "Today" }).first().waitFor();
    await page.keyboard.press("n");
    await page.getByRole("heading", { name: "Node" }).waitFor();
    await page.keyboard.press("u");
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("np?");
    assert.equal(await page.getByLabel(/^Search/).inputValue(), "np?");
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.locator("#main").focus();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Shortcuts" });
    assert.equal(await help.locator("kbd").count(), 7);
    await accessible(page, "help");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.keyboard.press("t");
    assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark");
    await page.context().close();
  });

  test("the request log has what was sent, what came, what failed, and never the key", async () => {
    const { page } = await world.page();
    await inShop(page);
    await until(async () => (await names(page)).length === 50, "users");
    await page.locator("#main").focus();
    await page.keyboard.press("r");
    const log = page.getByRole("region", { name: "Request log" });
    await log.locator(".kind.res").first().waitFor();
    assert.ok((await log.locator(".kind.req").count()) >= 2);
    await log.locator(".entry summary").first().click();
    await log.locator("pre").first().getByText('"users"').waitFor();
    assert.ok(!(await log.innerText()).includes(key));
    await accessible(page, "the log");
    await log.getByRole("button", { name: "Clear" }).click();
    await log.getByText("Nothing was sent yet.").waitFor();
    await world.node.stop();
    await page.getByLabel(/^Search/).fill("ada");
    await page.getByRole("alert").waitFor();
    await log.locator(".kind.err").first().waitFor();
    await world.node.start();
    await page.getByRole("button", { name: "Try again" }).click();
    await until(async () => (await names(page)).some((n) => n.startsWith("Ada")), "it heals");
    await page.context().close();
  });

  test("the node: what it does, by a key that may see it", async () => {
    const { page } = await world.page();
    await inShop(page, "/console/node");
    const tile = (name: string) => page.locator(".tile", { hasText: name }).locator("strong");
    await page.locator(".spark").first().waitFor();
    const posting = setInterval(() => void world.did([["u0002", 1]]), 100);
    await until(async () => Number(await tile("Activities").innerText()) > 1, "activities a second");
    clearInterval(posting);
    await tile("Time to answer them").getByText(/ms/).waitFor();
    await accessible(page, "the node");
    const { key: reader } = await world.call("POST", "/v1/keys", { name: "reader", kind: "sk", scopes: ["users:read", "boards:read"] });
    await page.evaluate((k) => sessionStorage.setItem("laurel.key", k), reader as string);
    await page.reload();
    await page.getByRole("alert").getByText("needs a key with the scope keys:admin").waitFor();
    await page.context().close();
  });

  test("axe finds no serious fault on any page", async () => {
    const { page, faults } = await world.page();
    await page.goto(`${world.node.url}/console`);
    await page.getByLabel("API key").waitFor();
    await accessible(page, "signing in");
    await inShop(page);
    await until(async () => (await names(page)).length === 50, "users");
    await accessible(page, "users");
    await page.goto(`${world.node.url}/console/users/u0001#leaderboards`);
    await page.locator(".chart canvas").waitFor();
    await accessible(page, "a user");
    await page.goto(`${world.node.url}/console/boards`);
    await page.getByRole("link", { name: "Today" }).first().waitFor();
    await accessible(page, "boards");
    await page.setViewportSize({ width: 390, height: 844 });
    await accessible(page, "boards on a phone");
    assert.deepEqual(faults, []);
    await page.context().close();
  });
});
