// Addresses, times and figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics, quantile, rate, sum } from "../src/console/metrics.js";
import { RequestLog } from "../src/console/log-entries.js";
import { routeOf } from "../src/console/routes.js";
import { addressOf, placeOf } from "../src/live/address.js";
import { initials, periodName, pictureOf } from "../src/shared/text.js";
import { left, nextTick } from "../src/shared/time.js";
import { fill } from "../src/widgets/words.js";

test("the time that is left: two units at most, and none that is 0 behind", () => {
  const [s, m, h, d] = [1_000, 60_000, 3_600_000, 86_400_000];
  for (const [ms, want] of [[0, "0s"], [-5, "0s"], [1, "1s"], [59 * s, "59s"], [m, "1m"], [m + s, "1m 1s"], [h + 5 * s, "1h"], [2 * h + 3 * m, "2h 3m"], [d - 1, "1d"], [d + 61 * m, "1d 1h"], [40 * d, "40d"]] as const) {
    assert.equal(left(ms, "en"), want, String(ms));
  }
  assert.match(left(2 * h + 3 * m, "de", "long"), /2 Stunden 3 Minuten/);
  for (const ms of [2.5 * d, 5 * h + 7, 90 * s, 999]) {
    const tick = nextTick(ms);
    assert.ok(tick >= 50 && tick <= (ms > d ? h : ms > h ? m : s), `${ms}: ${tick}`);
  }
});

test("a live page's address says what it shows, and is read back the same", () => {
  const place = { rule: "points", period: "week~1", user: "a b/ü", segment: "AT", around: true };
  const address = new URL(addressOf(place), "http://x");
  assert.deepEqual(placeOf(address.pathname, address.search), place);
  assert.equal(addressOf({ rule: "r", period: "day", user: undefined, segment: undefined, around: true }), "/live/r/day");
  assert.equal(placeOf("/live", ""), undefined);
  assert.equal(placeOf("/live/%E0%A4%A/day", "")?.rule, "%E0%A4%A", "what is no percent-encoding is taken as it stands");
});

test("the console's addresses", () => {
  assert.deepEqual(["/console", "/console/", "/console/users", "/console/node/", "/console/users/a%2Fb", "/console/users/%zz", "/console/other", "/console/users/a/b"].map(routeOf), [
    { page: "users" }, { page: "users" }, { page: "users" }, { page: "node" }, { page: "user", user: "a/b" }, { page: "nowhere" }, { page: "nowhere" }, { page: "nowhere" },
  ]);
});

test("metrics: what is read of Prometheus's text", () => {
  const text = (n: number) => `# HELP x y\nlaurel_activities_total{result="accepted"} ${n}\nlaurel_activities_total{result="rejected"} 1\nlaurel_activities_totally 7\n` +
    `laurel_push_seconds_bucket{le="0.1"} ${n}\nlaurel_push_seconds_bucket{le="0.5"} ${n + 9}\nlaurel_push_seconds_bucket{le="+Inf"} ${n + 10}\nbroken line\n`;
  const [a, b] = [parseMetrics(text(10)), parseMetrics(text(110))];
  assert.equal(sum(b, "laurel_activities_total"), 111);
  assert.equal(sum(b, "nothing"), 0);
  assert.equal(rate(10, 110, 4), 25);
  assert.equal(rate(110, 10, 5), 2, "a server that began anew");
  assert.equal(rate(1, 2, 0), 0);
  assert.equal(quantile(a, b, "laurel_push_seconds", 0.99), 0.1);
  assert.equal(quantile(new Map(), b, "laurel_push_seconds", 0.99), 0.5);
  assert.equal(quantile(b, b, "laurel_push_seconds", 0.99), undefined, "nothing came");
});

test("the log pairs answers with their requests, keeps what failed apart, and is bounded", () => {
  const log = new RequestLog();
  const base = { method: "GET", began: 0 };
  log.exchange(1, { ...base, id: 1, path: "/a" });
  log.exchange(2, { ...base, id: 1, path: "/b" });
  log.exchange(2, { ...base, id: 1, path: "/b", tookMs: 5, status: 404, answer: { code: "not_found" } });
  log.poll("news", {});
  assert.deepEqual(log.entries.map(({ kind, what, status }) => [kind, what, status]), [
    ["REQ", "GET /a", "pending"], ["REQ", "GET /b", "failed"], ["ERR", "GET /b", "failed"], ["POLL", "news", "success"],
  ]);
  log.exchange(1, { ...base, id: 1, path: "/a", tookMs: 5, status: 200 });
  assert.equal(log.entries[0]!.status, "success");
  for (let i = 0; i < 500; i++) log.poll(String(i), undefined);
  assert.equal(log.entries.length, 200);
  assert.equal(log.entries.at(-1)!.what, "499");
});

test("names of periods, initials, pictures, and texts that are filled in once", () => {
  assert.deepEqual(["day", "week~1", "month~3", "all", "2026-W47", "14d", "14d~2"].map(periodName), ["Today", "Last week", "This month, 3 before", "All time", "2026-W47", "14d", "14d, 2 before"]);
  assert.deepEqual(["Ada Lovelace", "  x  ", "", "😀 b"].map(initials), ["AL", "X", "", "😀B"]);
  assert.deepEqual(["https://a/b.png", "http://a", "javascript:alert(1)", "data:image/svg+xml,<svg>", undefined].map(pictureOf), ["https://a/b.png", undefined, undefined, undefined, undefined]);
  assert.equal(fill("{name} leads with {n}, {other}", { name: "{n}", n: "3" }), "{n} leads with 3, {other}");
});
