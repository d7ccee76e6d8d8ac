// Widgets on a page of another origin, under a strict policy.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { Way } from "../client/test/node.js";
import { accessible } from "./axe.js";
import { World, hostile, until } from "./world.js";

const world = new World();
const way = new Way(world.node);
let body = "";
let site: string;
let key: string;
let tokens = 0;
let scripts = ""; // where the widgets come from

/** The policy of a careful site: scripts and connections from the server, and nothing inline. */
const policy = () => `default-src 'none'; script-src ${scripts}; connect-src 'self' ${scripts} ${scripts.replace("http", "ws")}; require-trusted-types-for 'script'; trusted-types 'none'`;

async function embed(html: string, page: Page): Promise<void> {
  body = html;
  await page.goto(`${site}/`);
}

const rows = (page: Page, tag = "laurel-leaderboard") =>
  page.locator(`${tag} tbody tr[part~=row]`).evaluateAll((list) => list.map((tr) => [...tr.children].map((cell) => (cell.textContent ?? "").trim()).join("|")));

describe("widgets", () => {
  before(async () => {
    await world.open();
    await way.open();
    scripts = way.url;
    const head = () => `<!doctype html><html lang="en"><head><title>A shop</title>${["leaderboard", "rank", "streak"].map((n) => `<script type="module" src="${scripts}/widgets/v1/${n}.js"></script>`).join("")}</head><body><main><h1>A shop</h1>${body}</main></body></html>`;
    site = await world.site({
      "/": () => ({ body: head(), policy: policy() }),
      "/token": () => {
        tokens++;
        return { body: world.token("ada"), type: "text/plain" };
      },
    });
    key = await world.publicKey(site);
    await world.did([["ada", 30], ["bob", 20], ["cy", 10]]);
  });
  after(async () => {
    await way.close();
    await world.close();
  });

  test("each is at most 15 KB with gzip, the client included, and evaluates no text", () => {
    for (const name of ["leaderboard", "rank", "streak", "laurel"]) {
      const file = readFileSync(fileURLToPath(new URL(`../../dist/widgets/${name}.js`, import.meta.url)));
      const size = gzipSync(file, { level: 9 }).length;
      assert.ok(size <= 15_000, `${name}: ${size} bytes`);
      assert.doesNotMatch(file.toString(), /\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write/);
    }
  });

  test("a leaderboard with a public key shows the board and follows it", async () => {
    const { page, faults } = await world.page();
    await embed(`<laurel-leaderboard key="${key}" rule="points" period="day" limit="3" user="dee" heading="Today"></laurel-leaderboard>`, page);
    await until(async () => (await rows(page)).length === 3, "three rows");
    assert.deepEqual(await rows(page), ["1|ada|30", "2|bob|20", "3|cy|10"]);
    await world.did([["cy", 25], ["dee", 1]]);
    await until(async () => /^1▲2up 2\|cy\|35$/.test((await rows(page))[0] ?? ""), "cy leads, and is seen to have risen");
    await until(async () => (await rows(page)).length === 4, "dee stands apart");
    assert.equal((await rows(page))[3], "4|dee|1");
    assert.equal(await page.locator("laurel-leaderboard tr.me").textContent().then((t) => t?.includes("dee")), true);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("widgets of three files share a connection; rank and streak follow, the streak by a token that is fetched", async () => {
    const { page, faults } = await world.page();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    tokens = 0;
    const who = `token-url="/token" user="ada"`;
    await embed(`<laurel-leaderboard token-url="/token" rule="visits" period="day"></laurel-leaderboard><laurel-rank ${who} rule="visits" period="day"></laurel-rank><laurel-streak ${who} rule="daily"></laurel-streak>`, page);
    await page.locator("laurel-streak").getByText("1-day streak").waitFor();
    await page.locator("laurel-streak").getByText("Done for now").waitFor();
    const rank = page.locator("laurel-rank");
    await rank.getByText("#2", { exact: true }).waitFor();
    await rank.getByText("1 to overtake cy").waitFor();
    await world.did([["ada", 1], ["ada", 1]]);
    await rank.getByText("#1", { exact: true }).waitFor();
    await rank.getByText("In the lead").waitFor();
    assert.deepEqual([sockets.length, tokens], [1, 1], "connections and tokens");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("a streak does not show to a public key, and says so in its place", async () => {
    const { page } = await world.page();
    await embed(`<laurel-streak key="${key}" user="ada" rule="daily"></laurel-streak>`, page);
    await page.locator("laurel-streak [part=status]").getByText("This cannot be shown").waitFor();
    await page.context().close();
  });

  test("hostile names are text", async () => {
    const { page, faults } = await world.page();
    await Promise.all(hostile.map((name, i) => world.call("PUT", `/v1/users/h${i}`, { name })));
    await world.did(hostile.map((_, i) => [`h${i}`, 1_000 - i] as const));
    await embed(`<laurel-leaderboard key="${key}" rule="points" period="day" limit="5" pictures></laurel-leaderboard><laurel-rank key="${key}" rule="points" period="day" user="h1"></laurel-rank>`, page);
    await until(async () => (await rows(page)).length === 5, "five rows");
    assert.deepEqual(await page.locator("laurel-leaderboard bdi").allTextContents(), hostile);
    assert.equal(await page.evaluate("window.harmed"), undefined);
    assert.equal(await page.locator("laurel-leaderboard img, laurel-leaderboard svg, laurel-leaderboard script").count(), 0);
    assert.deepEqual(faults, []);
    await world.did(hostile.map((_, i) => [`h${i}`, -(1_000 - i)] as const));
    await page.context().close();
  });

  test("what is read out is little: of fifty changes of the lead within seconds two are announced", async () => {
    const { page } = await world.page();
    await embed(`<laurel-leaderboard key="${key}" rule="points" period="day" limit="3"></laurel-leaderboard>`, page);
    await until(async () => (await rows(page)).length === 3, "rows");
    await page.evaluate(`(() => {
      window.said = [];
      const live = document.querySelector("laurel-leaderboard").shadowRoot.querySelector("p.sr[role=status]");
      new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true, characterData: true, subtree: true});
    })()`);
    for (let i = 0; i < 50; i++) await world.did([[i % 2 ? "ada" : "bob", 200]]);
    const best = await world.call("GET", "/v1/leaderboards/points/day?limit=1");
    await until(async () => (await rows(page))[0]?.replace(/,/g, "").includes(String(best.rows[0].score)) ?? false, "the last change");
    const said = (await page.evaluate("window.said")) as string[];
    assert.ok(said.length >= 1 && said.length <= 2, `${said.length}: ${said}`);
    assert.match(said[0]!, /leads with/);
    await page.context().close();
  });

  test("a lost connection is shown, and heals", async () => {
    const { page } = await world.page();
    await embed(`<laurel-leaderboard key="${key}" rule="visits" period="day" limit="3"></laurel-leaderboard>`, page);
    await until(async () => (await rows(page)).length === 3, "rows");
    const status = page.locator("laurel-leaderboard [part=status]");
    assert.equal(await status.isHidden(), true);
    await world.node.stop();
    await status.getByText(/Reconnecting · As of \d/).waitFor();
    assert.equal((await rows(page)).length, 3, "what was shown stays");
    await world.node.start();
    await world.did(Array.from({ length: 90 }, () => ["eve", 1] as const));
    await until(async () => /\|eve\|90$/.test((await rows(page))[0] ?? ""), "it goes on");
    await status.waitFor({ state: "hidden" });
    await page.context().close();
  });

  test("right to left, in another language, with its numbers and words", async () => {
    const { page, faults } = await world.page({ locale: "ar-EG" });
    await embed(`<div dir="rtl" lang="ar-EG"><laurel-leaderboard key="${key}" rule="visits" period="day" limit="3" labels='{"rank":"المرتبة"}'></laurel-leaderboard></div>`, page);
    await until(async () => (await rows(page)).length === 3, "rows");
    const board = page.locator("laurel-leaderboard");
    assert.equal(await board.locator("thead th").first().textContent(), "المرتبة");
    assert.match((await rows(page))[0]!, /\|[٠-٩]+$/);
    const [first, last] = [await board.locator("tbody tr").first().locator(".rank").boundingBox(), await board.locator("tbody tr").first().locator(".score").boundingBox()];
    assert.ok(first!.x > last!.x, "ranks are on the right");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("axe finds no serious fault, and dark pages have dark widgets", async () => {
    const { page } = await world.page();
    const widgets = `<laurel-leaderboard key="${key}" rule="points" period="day" user="cy"></laurel-leaderboard><laurel-rank key="${key}" rule="points" period="day" user="cy"></laurel-rank><laurel-streak token-url="/token" user="ada" rule="daily"></laurel-streak>`;
    await embed(widgets, page);
    await page.locator("laurel-streak").getByText("-day streak").waitFor();
    await until(async () => (await rows(page)).length >= 3, "rows");
    await accessible(page, "widgets");
    const ground = () => page.locator("laurel-leaderboard").evaluate((e) => getComputedStyle(e).backgroundColor);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await ground(), "rgb(255, 255, 255)", "a page that says nothing is light");
    await page.evaluate(`document.documentElement.style.colorScheme = "light dark"`);
    assert.notEqual(await ground(), "rgb(255, 255, 255)");
    await page.goto(`${world.node.url}/widgets/v1/example.html#${new URLSearchParams({ key: await world.token("ada"), rule: "points", period: "day", user: "ada", streak: "daily" })}`);
    await page.locator("laurel-streak").getByText("-day streak").waitFor();
    await accessible(page, "the example page");
    await page.context().close();
  });
});
