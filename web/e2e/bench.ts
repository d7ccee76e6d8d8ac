// How a board of a hundred rows is animated while 200 users a second change places: frames a second by the page's own count, the processor time of the page's
// main thread, which says what a machine would do that has nothing else to do, and memory before and after.
// node scripts/run.js e2e/bench.ts [SECONDS]
import { World, generator, until } from "./world.js";

const seconds = Number(process.argv[2] ?? 10);
const users = Array.from({ length: 100 }, (_, i) => `u${String(i).padStart(3, "0")}`);
const movesASecond = 200;

interface Frames {
  readonly count: number;
  readonly ms: number;
  readonly worst: number;
  readonly changes: number;
}

const counting = `
  window.counting = new Promise((resolve) => {
    let count = 0, worst = 0, changes = 0;
    const observer = new MutationObserver((list) => { changes += list.length; });
    observer.observe(document.querySelector(".board .rows"), { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-rowindex"] });
    const begin = performance.now();
    let last = begin;
    const frame = (now) => {
      count++;
      worst = Math.max(worst, now - last);
      last = now;
      if (now - begin < SECONDS * 1000) requestAnimationFrame(frame);
      else { observer.disconnect(); resolve({ count, ms: now - begin, worst, changes }); }
    };
    requestAnimationFrame(frame);
  });
  undefined // or it would be waited for`;

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
  await debuggerOf.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await debuggerOf.send("Performance.getMetrics");
    return (name: string) => (metrics.find((m) => m.name === name)?.value ?? 0) * 1_000;
  };
  const heap = async () => {
    await debuggerOf.send("HeapProfiler.collectGarbage");
    return Number(await page.evaluate("performance.memory.usedJSHeapSize")) / 1e6;
  };
  const measure = async (what: string, act: () => Promise<unknown>) => {
    await page.evaluate(counting.replace("SECONDS", String(seconds)));
    const from = await spent();
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) await act();
    const { count, ms, worst, changes } = (await page.evaluate("window.counting")) as Frames;
    const to = await spent();
    const a = (name: string) => ((to(name) - from(name)) / (ms / 1_000)).toFixed(0);
    console.log(`${what}: main thread ${a("TaskDuration")} ms of processor a second: ${a("ScriptDuration")} script, ${a("RecalcStyleDuration")} style, ${a("LayoutDuration")} layout`);
    console.log(`${what}: ${((count * 1_000) / ms).toFixed(1)} frames a second, the longest ${worst.toFixed(0)} ms, ${changes} changes in the page`);
  };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await measure("at rest", () => pause(100));
  const before = await heap();
  let moves = 0;
  let next = performance.now();
  const began = next;
  await measure(`${movesASecond} moves a second`, async () => {
    next += 100;
    await world.did(Array.from({ length: movesASecond / 10 }, () => [users[Math.floor(random() * users.length)]!, 1 + Math.floor(random() * 400)] as const));
    moves += movesASecond / 10;
    await pause(Math.max(0, next - performance.now()));
  });
  console.log(`${(moves / ((performance.now() - began) / 1_000)).toFixed(0)} activities a second were sent; heap ${before.toFixed(1)} MB before, ${(await heap()).toFixed(1)} MB after`);
} finally {
  await world.close();
}
