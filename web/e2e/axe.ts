import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails where axe-core finds a serious fault, in either colour scheme; in the second one only colours can be at fault that were not in the first. The page's own policy lets no foreign script in: axe comes by the debugger's way. */
export async function accessible(page: Page, what: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(axe);
    const only = colorScheme === "dark" ? ", runOnly: ['color-contrast', 'link-in-text-block']" : "";
    const { violations } = (await page.evaluate(`axe.run(document, {resultTypes: ['violations']${only}})`)) as { violations: Violation[] };
    const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(bad.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map((n) => `${n.target.join(" ")}: ${n.failureSummary}`)]), [], `${what}, ${colorScheme}`);
  }
}
