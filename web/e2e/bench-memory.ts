// Whether a board of a hundred rows needs more and more memory while 200 users a second change places: what is left on the page's heap after its garbage is
// collected, every so often.
// node scripts/run.js e2e/bench-memory.ts [MINUTES]
import { load, record } from "./record.js";
import { World, generator, until } from "./world.js";

const minutes = Number(process.argv[2] ?? 10);
const everyMs = Math.min(30_000, (minutes * 60_000) / 10);
const users = Array.from({ length: 100 }, (_, i) => `u${String(i).padStart(3, "0")}`);
const movesASecond = 200;
const tickMs = 100;
const bar = 0.05; // what the line through the samples may rise by, from its beginning to its end

/** The line through points by least squares. */
function lineOf(points: readonly (readonly [x: number, y: number])[]): { readonly slope: number; readonly start: number } {
  const mean = (at: 0 | 1) => points.reduce((sum, p) => sum + p[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const slope = points.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / points.reduce((sum, p) => sum + (p[0] - x) ** 2, 0);
  return { slope, start: y - slope * x };
}

const world = new World();
try {
  await world.open();
  const random = generator(1);
  await world.did(users.map((user) => [user, 1 + Math.floor(random() * 1_000)] as const));
  const key = await world.publicKey(world.node.url);
  const { page } = await world.page({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${world.node.url}/live/points/day#key=${key}`);
  await until(async () => (await page.locator(".board .rows .row").count()) > 20, "the rows");
  const debuggerOf = await page.context().newCDPSession(page);
  const heap = async () => {
    await debuggerOf.send("HeapProfiler.collectGarbage");
    const { usedSize } = (await debuggerOf.send("Runtime.getHeapUsage")) as { usedSize: number };
    return usedSize;
  };
  const before = load();
  const samples: [minutes: number, bytes: number][] = [];
  const began = performance.now();
  let [next, nextSample, moves] = [began, began + everyMs, 0];
  while (nextSample <= began + minutes * 60_000 + tickMs) {
    next += tickMs;
    await world.did(Array.from({ length: (movesASecond * tickMs) / 1_000 }, () => [users[Math.floor(random() * users.length)]!, 1 + Math.floor(random() * 400)] as const));
    moves += (movesASecond * tickMs) / 1_000;
    if (performance.now() >= nextSample) {
      nextSample += everyMs;
      samples.push([(performance.now() - began) / 60_000, await heap()]);
      const [at, bytes] = samples.at(-1)!;
      console.log(`${at.toFixed(1)} min: ${(bytes / 1e6).toFixed(2)} MB`);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  const rate = moves / ((performance.now() - began) / 1_000);
  const { slope, start } = lineOf(samples);
  const rise = (slope * minutes) / start;
  console.log(`${rate.toFixed(0)} moves a second for ${minutes} minutes: ${(slope / 1_000).toFixed(1)} KB a minute, ${(100 * rise).toFixed(1)} % in all, of ${(start / 1e6).toFixed(2)} MB`);
  record("memory", before, "make memory", {
    bar_rise: bar, met: rise <= bar, minutes, rows: users.length, moves_per_second: Math.round(rate), start_bytes: Math.round(start), slope_bytes_per_minute: Math.round(slope), rise: Number(rise.toFixed(4)),
    samples: samples.map(([at, bytes]) => ({ minutes: Number(at.toFixed(2)), bytes })),
  });
} finally {
  await world.close();
}
