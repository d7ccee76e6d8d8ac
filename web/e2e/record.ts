// Where measures in a browser are kept: bench/results/<date>-<commit>-browser.json, a member each, beside what else says on which machine that was.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, getPriority, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

const results = fileURLToPath(new URL("../../../bench/results/", import.meta.url));

const said = (program: string, ...flags: string[]): string => execFileSync(program, flags, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

// What is measured is what is there when it begins.
const commit = said("git", "rev-parse", "HEAD");
const dirty = said("git", "status", "--porcelain", "--", ":/web", ":/api", ":/internal", ":/ws", ":/cmd") !== "";

/** How busy the machine is; to be asked before it is measured. */
export const load = (): number => loadavg()[0]!;

/**
 * Writes down a measure of this commit; others of it that were taken before stay. `before` is the load average before it; `nice` says which part of a busy machine the
 * servers and the browser could have (below 0: they went first).
 */
export function record(measure: string, before: number, command: string, figures: object): void {
  const now = new Date().toISOString();
  const file = `${results}${now.slice(0, 10)}-${commit.slice(0, 7)}-browser.json`;
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as object) : {};
  const machine = {
    commit,
    dirty,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.version,
    chromium: said("chromium", "--version").replace(/^Chromium (\S+).*/, "$1"),
    redis: /v=(\S+)/.exec(said("redis-server", "--version"))?.[1] ?? "unknown",
  };
  writeFileSync(file, `${JSON.stringify({ ...known, ...machine, [measure]: { date: now, load_average: before, nice: getPriority(), command, ...figures } }, null, 1)}\n`);
  console.log(`It is written to ${file}`);
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!;
}
