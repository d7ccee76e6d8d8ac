// The streaks of a user in a browser, against a real server whose clock stands on a Wednesday morning.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { accessible } from "./axe.js";
import { World, hostile, until } from "./world.js";

const more = Array.from({ length: 10 }, (_, i) => `      - {id: more-${i}, when: {name: buy}, unit: week}`).join("\n");
const world = new World(`
orgs:
  - id: shop
    timezone: UTC
    limits: {max_past: 400d, close_grace: 400d, log_days: 500}
    rules:
      - {id: visits, when: {name: buy}, value: count, cycles: [all]}
    streaks:
      - {id: daily, when: {name: buy}, unit: day, timezone: user, at_risk: 14h, freezes: {initial: 1, max: 2}, active_days: [mon, tue, wed, thu, fri, sat]}
      - {id: monthly, when: {name: buy}, unit: month}
      - {id: optional, when: {name: buy}, unit: day}
${more}
`);

const now = "2030-05-15T10:00:00.000Z"; // noon in Vienna
const at = (daysAgo: number) => new Date(Date.parse(now) - daysAgo * 86_400_000).toISOString();
const day = (daysAgo: number) => at(daysAgo).slice(0, 10);
const dates = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const long = (daysAgo: number) => dates.format(new Date(at(daysAgo)));

let posted = 0;
const bought = (daysAgo: number, id = `b${posted++}`) => world.call("POST", "/v1/activities", { id, user: "ada", name: "buy", at: at(daysAgo) });

async function open(user = "ada"): Promise<{ page: Page; faults: string[]; asked: URL[] }> {
  const { page, faults } = await world.signedIn();
  const asked: URL[] = [];
  page.on("request", (r) => asked.push(new URL(r.url())));
  await page.clock.setFixedTime(now);
  await page.goto(`${world.node.url}/console/users/${user}`);
  await page.locator(".pulse[data-state=live]").waitFor();
  assert.ok(!asked.some(({ pathname }) => /history|explain/.test(pathname)), "what no tab shows is not asked for");
  await page.keyboard.press("9");
  await page.getByRole("grid", { name: "daily, the last year" }).waitFor();
  return { page, faults, asked };
}

const streak = (page: Page, name = "daily") => page.getByRole("region", { name, exact: true });
const cell = (page: Page, daysAgo: number) => streak(page).getByRole("gridcell", { name: new RegExp(`^${long(daysAgo)}: `) });
const figure = (page: Page, name: string) => streak(page).locator("dl.figures > div", { hasText: name });

describe("the streaks of a user", () => {
  before(async () => {
    await world.open();
    await world.call("PUT", "/v1/users/ada", { name: hostile[0], timezone: "Europe/Vienna" });
    await world.call("PUT", "/v1/users/new", {});
    // A Wednesday is day 0, so Sundays are 3 and 10 days ago; what is not named is missed, or covered by the one freeze.
    await world.node.setClock(at(8));
    await world.call("POST", "/v1/users/ada/pauses", { from: day(5), to: day(4) });
    await world.node.setClock(now);
    for (const daysAgo of [300, 14, 13, 12, 12, 12, 9, 7, 6, 2, 1]) await bought(daysAgo);
    await world.call("PATCH", "/v1/users/ada/streaks/optional", { opted_out: true });
  });
  after(() => world.close());

  test("the calendar of a year is the server's, and says by words and signs what each day is", async () => {
    const { page, faults } = await open();
    const { history } = await world.call("GET", `/v1/users/ada/streaks/daily/history?from=${day(300)}`);
    const known = new Map<string, string>(history.map((h: { period: string; status: string }) => [h.period, h.status]));
    const wanted: Record<number, string> = { 0: "open", 1: "met", 3: "inactive", 4: "paused", 5: "paused", 12: "met" };
    for (const [ago, status] of Object.entries(wanted)) assert.equal(known.get(day(Number(ago))), status, `${ago} days ago`);
    for (const status of ["frozen", "missed"]) assert.ok([...known.values()].includes(status), status);
    const cells = await page.getByRole("grid", { name: "daily" }).getByRole("gridcell").evaluateAll((list) => list.filter((c) => c.hasAttribute("aria-label")).map((c) => [c.getAttribute("aria-label")!, c.className, getComputedStyle(c, "::after").content] as const));
    assert.ok(cells.length > 360 && cells.length <= 371, `${cells.length} days`);
    const words: Record<string, string> = { met: "met", frozen: "frozen", paused: "paused", missed: "missed", open: "open", inactive: "not required" };
    for (let ago = 0; ago < 360; ago++) {
      const date = `${long(ago)}: `;
      const found = cells.find(([name]) => name.startsWith(date));
      const status = known.get(day(ago));
      assert.match(found?.[0] ?? "none", status ? new RegExp(`: ${words[status]}, \\d+ of 1$`) : /before the first activity$/, `${ago} days ago`);
    }
    const signs = new Map(cells.map(([, look, sign]) => [look.split(" ")[0], sign]));
    const shown = ["met", "frozen", "paused", "missed", "open", "inactive"].map((status) => signs.get(status));
    assert.equal(new Set(shown).size, shown.length, `signs differ: ${shown}`);
    assert.ok((await cell(page, 12).getAttribute("class"))!.includes("heat3"), "three times the target is hotter");
    assert.ok((await cell(page, 13).getAttribute("class"))!.includes("heat1"));
    assert.equal(await cell(page, 0).getAttribute("aria-current"), "date");
    for (const word of ["Met: the target, 1.5 times, 3 times", "Frozen: a freeze covered it", "Paused", "Missed", "Open: it can still be met", "Not required"]) await streak(page).locator(".legend").getByText(word, { exact: true }).waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    const box = await cell(page, 0).boundingBox();
    assert.ok(box!.x >= 0 && box!.x < 390, "the end of the year is in sight");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("current, longest, freezes left, the state, and the deadline as a countdown in the user's zone", async () => {
    const { page, faults } = await open();
    const { streaks } = await world.call("GET", "/v1/users/ada/streaks");
    const s = streaks.find((one: { rule: string }) => one.rule === "daily");
    assert.equal(s.state, "at_risk");
    assert.deepEqual([s.deadline, s.current, s.freezes.held], ["2030-05-15T22:00:00.000Z", 4, 0]);
    await figure(page, "Current").getByText(String(s.current), { exact: true }).waitFor();
    await figure(page, "Current").getByText("Now: 0 of 1").waitFor();
    await figure(page, "Longest").getByText(String(s.longest), { exact: true }).waitFor();
    await figure(page, "Freezes left").getByText(`${s.freezes.held} of 2`).waitFor();
    await figure(page, "Freezes left").getByText(`${s.freezes.used} used`).waitFor();
    await streak(page).getByText("At risk").waitFor();
    await figure(page, "Deadline").getByText("12h left").waitFor();
    await figure(page, "Deadline").getByText("Thu, 16 May 2030, 00:00 (Europe/Vienna)").waitFor();
    await streak(page, "optional").getByText("The user opted out").waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("why a day is what it is, by mouse and by keyboard alone", async () => {
    const { page, faults } = await open();
    const why = async (daysAgo: number) => {
      const { periods } = await world.call("GET", `/v1/users/ada/streaks/daily/explain?from=${day(daysAgo)}&to=${day(daysAgo)}`);
      return periods[0];
    };
    const told = page.getByRole("region", { name: long(12) });
    await cell(page, 12).click();
    const met = await why(12);
    await told.getByText(met.why).waitFor();
    await streak(page).getByRole("status").getByText(met.why).waitFor();
    assert.equal(await told.getByRole("row").count(), met.activities.length + 1);
    for (const { id } of met.activities) await told.getByText(id, { exact: true }).waitFor();
    await told.getByText("Sat, 4 May 2030, 00:00 (Europe/Vienna)").waitFor();
    await accessible(page, "an explanation");
    await page.keyboard.press("Escape");
    await told.waitFor({ state: "detached" });
    // A week back and three days on is four days earlier; the calendar has one stop of Tab.
    assert.equal(await streak(page).locator("td[tabindex='0']").count(), 1);
    await page.keyboard.press("ArrowRight");
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowUp");
    assert.match(await page.evaluate("document.activeElement.getAttribute('aria-label')"), new RegExp(`^${long(8)}: `));
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: long(8) }).getByText((await why(8)).why).waitFor();
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    const first = (await page.evaluate("document.activeElement.getAttribute('aria-label')")) as string;
    assert.match(first, /: before the first activity$/);
    await page.getByRole("region", { name: first.split(":")[0]! }).getByText((await why(371 - 7 + 2)).why).waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("what an integration posts is seen at once, also in what is explained", async () => {
    const { page, faults } = await open();
    await cell(page, 0).click();
    await page.getByRole("region", { name: long(0) }).getByText("Open", { exact: true }).waitFor();
    await bought(0, "elsewhere");
    await page.getByRole("region", { name: long(0) }).getByText("elsewhere", { exact: true }).waitFor();
    await until(async () => /: met, 1 of 1$/.test((await cell(page, 0).getAttribute("aria-label"))!), "today is met");
    await figure(page, "Current").getByText("5", { exact: true }).waitFor();
    await figure(page, "Current").getByText("Done: 1 of 1").waitFor();
    await world.call("POST", "/v1/activities/ada/elsewhere/reject", { reason: "a test" });
    await until(async () => /: open, 0 of 1$/.test((await cell(page, 0).getAttribute("aria-label"))!), "today is open again");
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("calendars are read when they are about to be seen; months and weeks are periods too", async () => {
    const { page, faults, asked } = await open();
    const read = () => new Set(asked.filter(({ pathname }) => pathname.endsWith("/history")).map(({ pathname }) => pathname.split("/").at(-2)));
    assert.ok(!read().has("more-9"), `of what is far below nothing was read: ${[...read()]}`);
    await streak(page, "more-9").scrollIntoViewIfNeeded();
    await page.getByRole("grid", { name: "more-9, the last year" }).waitFor();
    assert.ok(!read().has("optional"), "who opted out has no calendar");
    await streak(page, "monthly").getByRole("gridcell", { name: /^May 2030: met, \d+ of 1$/ }).click();
    await page.getByRole("region", { name: "May 2030" }).getByText("1 month").waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test("somebody who has done nothing has no streak, and a server that cannot be asked can be asked again", async () => {
    const { page } = await open("new");
    await streak(page).getByText("Not begun").waitFor();
    assert.equal(await figure(page, "Deadline").count(), 0);
    await page.route("**/explain?**", (route) => route.abort());
    await cell(page, 0).click();
    await streak(page).locator(".why .notice").waitFor();
    await page.context().close();
  });
});
