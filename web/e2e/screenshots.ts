// Pictures of every page, light and dark, wide and narrow, in build/screenshots.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { makeAda, shopOfEverything } from "./person.js";
import { World, key, populate } from "./world.js";

const out = fileURLToPath(new URL("../screenshots/", import.meta.url));
const only = process.argv[2];

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly ready: string;
  readonly act?: (page: Page) => Promise<void>;
  readonly signedOut?: boolean;
  /** In which world: that of many people, or that of one with everything. */
  readonly of?: "everything";
  /** All of the page, not what is in the window. */
  readonly whole?: boolean;
}

const shots: Shot[] = [
  { name: "live", path: "/live/points/day?user=u0003", ready: ".board .rows .row" },
  { name: "live-around", path: "/live/points/day?user=u0020&view=around", ready: ".board .rows .row.me" },
  { name: "live-history", path: "/live/points/day", ready: ".board .rows .row", act: async (page) => {
    await page.locator(".board .rows .link").nth(1).click();
    await page.locator(".chart canvas").waitFor();
  } },
  { name: "sign-in", path: "/console", ready: ".sign-in", signedOut: true },
  { name: "users", path: "/console/users", ready: ".users tbody tr" },
  ...[
    ["overview", ".peek li"], ["activity", ".activities tbody tr"], ["points", ".ledger tbody tr"], ["rewards", ".goal"], ["kpis", "[role=tabpanel] tbody tr"], ["coupons", "[role=tabpanel] tbody tr"], ["leaderboards", ".chart canvas"], ["settings", ".switches li"],
  ].map(([tab, ready]): Shot => ({ name: `user-${tab}`, path: `/console/users/ada#${tab}`, ready: ready!, of: "everything", whole: true })),
  { name: "user-streaks", path: "/console/users/ada#streaks", ready: ".year td[tabindex]", of: "everything", whole: true, act: async (page) => {
    await page.locator(".year td.met").last().click();
    await page.locator(".why .reasons").waitFor();
  } },
  { name: "log-activity", path: "/console/users/ada", ready: ".peek li", of: "everything", act: async (page) => {
    await page.locator(".pulse[data-state=live]").waitFor();
    await page.keyboard.press("l");
    const panel = page.getByRole("dialog", { name: "Log activity" });
    await panel.getByLabel("Create another").check();
    await panel.getByLabel("lines").fill("2");
    await panel.getByRole("button", { name: "Log activity" }).click();
    await panel.locator(".effects").waitFor();
  } },
  { name: "log-activity-refused", path: "/console/users/ada", ready: ".peek li", of: "everything", act: async (page) => {
    await page.locator(".pulse[data-state=live]").waitFor();
    await page.keyboard.press("l");
    const panel = page.getByRole("dialog", { name: "Log activity" });
    await panel.getByRole("tab", { name: "Bounty" }).click();
    await panel.getByLabel("Points").fill("1000000");
    await panel.getByRole("button", { name: "Log activity" }).click();
    await panel.locator(".wrong").waitFor();
  } },
  { name: "user-edit", path: "/console/users/ada", ready: ".peek li", of: "everything", act: async (page) => {
    await page.locator(".pulse[data-state=live]").waitFor();
    await page.keyboard.press("e");
    await page.getByLabel("revenue").waitFor();
  } },
  { name: "user-menu", path: "/console/users/ada#activity", ready: ".activities tbody tr", of: "everything", act: async (page) => {
    await page.locator(".dots").nth(1).click();
    await page.getByRole("menuitem").first().waitFor();
  } },
  { name: "user-blocked", path: "/console/users/eva", ready: ".hero.blocked", of: "everything" },
  { name: "boards", path: "/console/boards", ready: ".boards li" },
  { name: "node", path: "/console/node", ready: ".spark" },
  { name: "log", path: "/console/users", ready: ".users tbody tr", act: async (page) => {
    await page.keyboard.press("r");
    await page.locator(".entry summary").nth(0).click();
  } },
  { name: "shortcuts", path: "/console/boards", ready: ".boards li", act: async (page) => {
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
  } },
];

const world = new World();
const other = new World(shopOfEverything);
try {
  await world.open();
  await populate(world, 300);
  await world.call("POST", "/v1/users/u0299/block");
  await world.call("POST", "/v1/users/u0297/hide");
  await other.open();
  await makeAda(other);
  await other.call("POST", "/v1/users/eva/block");
  mkdirSync(out, { recursive: true });
  for (const scheme of ["light", "dark"] as const) {
    for (const width of [1440, 390]) {
      const { page } = await world.page({ viewport: { width, height: width > 600 ? 900 : 844 }, colorScheme: scheme, reducedMotion: "reduce", deviceScaleFactor: 1 });
      for (const { name, path, ready, act, signedOut, of, whole } of shots) {
        if (only && !name.startsWith(only)) continue;
        const { url } = (of ? other : world).node;
        await page.goto(`${url}/docs`);
        await page.evaluate(([k, o]) => (k ? (sessionStorage.setItem("laurel.key", k), sessionStorage.setItem("laurel.org", o!)) : sessionStorage.clear()), signedOut ? [] : [key, "shop"]);
        await page.goto(url + path);
        await page.locator(ready).first().waitFor();
        await act?.(page);
        const height = whole ? ((await page.evaluate("document.documentElement.scrollHeight")) as number) : undefined;
        if (height) await page.setViewportSize({ width, height });
        await page.screenshot({ path: `${out}${name}-${width}-${scheme}.png` });
        if (height) await page.setViewportSize({ width, height: width > 600 ? 900 : 844 });
      }
      if (!only || "widgets".startsWith(only)) {
        const token = await world.token("u0003");
        await page.goto(`${world.node.url}/widgets/v1/example.html#${new URLSearchParams({ key: token, rule: "points", period: "day", user: "u0003", streak: "daily" })}`);
        await page.locator("laurel-streak ol li").first().waitFor();
        await page.screenshot({ path: `${out}widgets-${width}-${scheme}.png`, fullPage: true });
      }
      await page.context().close();
    }
  }
  console.log(`Pictures are in ${out}`);
} finally {
  await other.close();
  await world.close();
}
