// What a board does with rows, as far as it needs no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "@laurel/client";
import { Announcer } from "../src/board/announcer.js";
import { flights } from "../src/board/flip.js";
import { arrange } from "../src/board/keyed.js";
import { Moves } from "../src/board/moves.js";
import { windowOf } from "../src/board/window.js";
import { Random } from "./random.js";

test("the window has every row that is seen, few others, and never more than there are", () => {
  const random = new Random();
  for (let i = 0; i < 5_000; i++) {
    const [rowHeight, total, spare] = [1 + random.below(80), random.below(1_200), random.below(20)];
    const [top, height] = [random.below(100_000) - 20_000, random.below(2_000)];
    const { first, end } = windowOf(top, height, rowHeight, total, spare);
    const what = `seed ${random.seed}: ${[top, height, rowHeight, total, spare]} gives ${first} to ${end}`;
    assert.ok(0 <= first && first <= end && end <= total, what);
    for (let row = 0; row < total; row++) {
      const seen = (row + 1) * rowHeight > top && row * rowHeight < top + height;
      if (seen) assert.ok(first <= row && row < end, `${what}; ${row} is missing`);
    }
    assert.ok(end - first <= Math.ceil(height / rowHeight) + 2 * spare + 1, what);
  }
});

test("flights begin where rows were, and bring each to where it is", () => {
  const before = new Map([["a", 0], ["b", 50], ["c", 100], ["gone", 150]]);
  const after = new Map([["c", 0], ["a", 50.2], ["b", 50], ["new", 100], ["below", 150], ["far", 200]]);
  const from = (key: string) => ({ below: 700, far: 90_000 })[key];
  assert.deepEqual(flights(before, after, 600, from), [
    { key: "c", by: 100, enters: false },
    { key: "a", by: -50.2, enters: false },
    { key: "new", by: 0, enters: true },
    { key: "below", by: 550, enters: true },
    { key: "far", by: 600, enters: true },
  ]);
  assert.deepEqual(flights(before, before, 600), [], "who stays has none");
});

test("any change of order has flights that add up to it", () => {
  const random = new Random();
  const keys = Array.from({ length: 30 }, (_, i) => `u${i}`);
  for (let i = 0; i < 300; i++) {
    const place = () => new Map(random.shuffled(keys).slice(0, random.below(30)).map((key, at) => [key, at * 56] as const));
    const [before, after] = [place(), place()];
    const list = flights(before, after, Infinity);
    const moved = new Map(list.map((f) => [f.key, f]));
    assert.equal(moved.size, list.length, `seed ${random.seed}: one each`);
    for (const [key, top] of after) {
      const flight = moved.get(key);
      assert.equal(top + (flight?.by ?? 0), before.get(key) ?? top, `seed ${random.seed}: ${key}`);
      assert.equal(flight?.enters ?? false, !before.has(key), `seed ${random.seed}: ${key}`);
    }
    for (const key of moved.keys()) assert.ok(after.has(key), `seed ${random.seed}: ${key} is not there`);
  }
});

/** As much of an element's children as arrange needs. */
class Parent {
  children: Child[] = [];
  moved = 0;
  get firstElementChild(): Child | null {
    return this.children[0] ?? null;
  }
  insertBefore(child: Child, next: Child | null): void {
    this.moved++;
    child.remove();
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, child);
    child.parent = this;
  }
  append(child: Child): void {
    this.insertBefore(child, null);
  }
}

class Child {
  parent: Parent | undefined;
  get nextElementSibling(): Child | null {
    const list = this.parent!.children;
    return list[list.indexOf(this) + 1] ?? null;
  }
  remove(): void {
    const list = this.parent?.children;
    if (list?.includes(this)) list.splice(list.indexOf(this), 1);
    this.parent = undefined;
  }
}

const arranged = (parent: Parent, children: Child[]) => arrange(parent as unknown as Element, children as unknown as Element[]);

test("children are those given, in their order, whatever was there", () => {
  const random = new Random();
  const all = Array.from({ length: 12 }, () => new Child());
  const parent = new Parent();
  for (let i = 0; i < 2_000; i++) {
    const wanted = random.shuffled(all).slice(0, random.below(13));
    arranged(parent, wanted);
    assert.deepEqual(parent.children.map((c) => all.indexOf(c)), wanted.map((c) => all.indexOf(c)), `seed ${random.seed}, ${i}`);
  }
});

test("one that rises or sinks moves, and the others stay", () => {
  const all = Array.from({ length: 100 }, () => new Child());
  const without = (n: number) => [...all.slice(0, n), ...all.slice(n + 1)];
  for (const [from, to] of [[80, 20], [20, 80], [99, 0], [0, 99]] as const) {
    const parent = new Parent();
    arranged(parent, all);
    parent.moved = 0;
    const wanted = without(from);
    wanted.splice(to, 0, all[from]!);
    arranged(parent, wanted);
    assert.deepEqual(parent.children, wanted);
    assert.ok(parent.moved <= 2, `${from} to ${to}: ${parent.moved} moves`);
  }
});

const rows = (...users: string[]): Row[] => users.map((user, i) => ({ rank: i + 1, user, score: 0, reached_at: "" }));

test("who has moved is known for a while, and who has just come has not moved", () => {
  const moves = new Moves(1_000);
  moves.take(rows("a", "b", "c"), 0);
  assert.equal(moves.any, false);
  moves.take(rows("c", "a", "d"), 100);
  assert.deepEqual(["a", "b", "c", "d"].map((u) => moves.of(u)), [-1, 0, 2, 0]);
  assert.equal(moves.expire(1_099), false);
  assert.equal(moves.expire(1_100), true);
  assert.equal(moves.any, false);
  moves.take(rows("a", "b", "c"), 2_000);
  assert.deepEqual(["a", "b", "c"].map((u) => moves.of(u)), [1, 0, -2], "b had gone, and comes anew");
  moves.clear();
  moves.take(rows("c", "a"), 2_001);
  assert.equal(moves.any, false, "another board");
});

test("announcements keep their distance, and the latest is not lost", () => {
  let now = 0;
  const timers: { at: number; run: () => void }[] = [];
  const said: [number, string][] = [];
  const announcer = new Announcer((text) => said.push([now, text]), 10, {
    now: () => now,
    timer: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
  const pass = (to: number) => {
    for (now++; now <= to; now++) for (const timer of timers.filter(({ at }) => at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.run();
    }
    now = to;
  };
  announcer.say("a");
  announcer.say("b");
  pass(5);
  announcer.say("c");
  pass(30);
  announcer.say("c");
  pass(31);
  announcer.say("d");
  announcer.say("e");
  announcer.stop();
  pass(60);
  assert.deepEqual(said, [[0, "a"], [10, "c"], [31, "d"]]);
});
