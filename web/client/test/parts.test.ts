import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/backoff.js";
import { Emitter } from "../src/emitter.js";
import { Outbox } from "../src/outbox.js";
import { renewIn } from "../src/renewal.js";
import { defaultLimits } from "../src/wire.js";
import { FakeTime } from "./fake.js";

test("the wait before an attempt is anything up to a bound that doubles to 30 s", () => {
  for (const [failures, most] of [[0, 250], [1, 500], [6, 16_000], [7, 30_000], [2000, 30_000]] as const) {
    assert.equal(backoff(failures, () => 0), 0);
    assert.equal(backoff(failures, () => 0.5), most / 2);
  }
});

test("a token is renewed a minute ahead, or half way, and not when it is too late", () => {
  assert.equal(renewIn(3_600_000), 3_540_000);
  assert.equal(renewIn(30_000), 15_000);
  assert.equal(renewIn(999), undefined);
  assert.equal(renewIn(-1), undefined);
});

test("listeners may leave, come, and be there twice", () => {
  const emitter = new Emitter<{ a: number }>();
  const got: string[] = [];
  const listener = (n: number) => void got.push(`x${n}`);
  const off = emitter.on("a", listener);
  emitter.on("a", listener);
  emitter.on("a", (n) => n === 1 && off());
  emitter.emit("a", 1);
  emitter.emit("a", 2);
  assert.deepEqual(got, ["x1", "x1", "x2"]);
});

test("a listener that throws is reported, and holds up no other", (t) => {
  const emitter = new Emitter<{ a: number }>();
  const reported: (() => void)[] = [];
  t.mock.method(globalThis, "queueMicrotask", (report: () => void) => void reported.push(report));
  const got: number[] = [];
  emitter.on("a", () => {
    throw new Error("in a listener");
  });
  emitter.on("a", (n) => got.push(n));
  emitter.emit("a", 1);
  assert.deepEqual(got, [1]);
  assert.equal(reported.length, 1);
  assert.throws(reported[0]!, /in a listener/);
});

test("no more is sent than the server allows, and nothing that was taken back", async () => {
  const time = new FakeTime();
  const sent: string[] = [];
  const outbox = new Outbox(time, (text) => sent.push(JSON.parse(text).id ?? JSON.parse(text).type));
  outbox.limits = { ...defaultLimits, message_burst: 20, messages_per_second: 10 };
  for (let i = 0; i < 40; i++) outbox.add({ type: "subscribe", id: `s${i}`, view: { kind: "user", user: "a" } });
  assert.equal(sent.length, 12, "some are left for what cannot wait");
  outbox.add({ type: "unsubscribe", id: "s30" });
  outbox.add({ type: "unsubscribe", id: "s1" });
  outbox.now({ type: "pong" });
  assert.equal(sent.at(-1), "pong");
  const start = sent.length;
  await time.pass(1_000);
  assert.ok(sent.length - start <= 10 && sent.length - start >= 6, `${sent.length - start} in a second`);
  await time.pass(10_000);
  assert.equal(sent.length, 12 + 1 + 27 + 1);
  assert.ok(!sent.includes("s30"));
  assert.equal(sent.at(-1), "s1");
  assert.equal(time.timers, 0);
});

test("what the server would never take is not sent", () => {
  const sent: string[] = [];
  const outbox = new Outbox(new FakeTime(), (text) => sent.push(text));
  const users = Array.from({ length: 100 }, (_, i) => "é".repeat(80) + i);
  assert.equal(outbox.add({ type: "subscribe", id: "1", view: { kind: "users", rule: "r", period: "all", users } }), false);
  assert.deepEqual(sent, []);
});
