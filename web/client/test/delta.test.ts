import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDelta, applyUserDelta, compareUsers, type BoardDelta, type BoardState, type Row, type User } from "../src/index.js";
import { check, type Random } from "./random.js";

// Ids whose order by UTF-16 units is not that of their bytes, and names that objects have of their own.
const users = ["a", "b", "ab", "é", "\uE000", "\u{1F600}", "\u{1F601}", "عمر", "__proto__", "constructor", "z", "zz"];
const instants = ["2026-11-22T10:00:00.000Z", "2026-11-22T10:00:00.001Z", "2026-11-22T10:00:01.000Z"];

type Entry = { score: number; reached: string };
type Board = Map<string, Entry>;

// The model: the first rows of a board as a server reads them, by the bytes of ids.
function read(board: Board, limit: number, ties: string): Row[] {
  const entries = [...board].sort(
    ([a, x], [b, y]) => y.score - x.score || Date.parse(x.reached) - Date.parse(y.reached) || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const rank = (i: number): number => {
    const above = entries.filter(([, e]) => e.score > entries[i]![1].score);
    if (ties === "standard") return above.length + 1;
    if (ties === "dense") return new Set(above.map(([, e]) => e.score)).size + 1;
    return i + 1;
  };
  return entries.map(([user, e], i) => ({ rank: rank(i), user, score: e.score, reached_at: e.reached })).slice(0, limit);
}

function change(board: Board, random: Random): void {
  const user = random.of(users);
  if (random.below(4) === 0) board.delete(user);
  else board.set(user, { score: random.below(5), reached: random.of(instants) });
}

function difference(before: readonly Row[], after: readonly Row[], seq: number, total: number, random: Random): BoardDelta {
  const same = (a: Row) => before.some((b) => JSON.stringify(a) === JSON.stringify(b));
  const upsert = after.filter((r) => !same(r)).sort(() => random.below(3) - 1); // their order is the receiver's business
  const remove = before.filter((b) => !after.some((a) => a.user === b.user)).map((r) => r.user);
  return { prev: seq, seq: seq + 1, as_of: instants[0]!, total, upsert, remove };
}

test("deltas lead to what a read answers, whatever changes", () => {
  check(300, (random) => {
    const ties = random.of(["ordinal", "standard", "dense"]);
    const limit = 1 + random.below(8);
    const board: Board = new Map();
    let state: BoardState = { epoch: "e", seq: 1, as_of: instants[0]!, period: { label: "all", closed: false }, total: 0, rows: [] };
    for (let step = 0; step < 20; step++) {
      for (let i = random.below(4); i >= 0; i--) change(board, random);
      const want = read(board, limit, ties);
      const delta = difference(state.rows, want, state.seq, board.size, random);
      const before = structuredClone(state);
      const next = applyDelta(state, delta, limit);
      assert.deepEqual(state, before, "the state before is left alone");
      assert.ok(next);
      assert.deepEqual(next.rows, want);
      assert.equal(next.total, board.size);
      assert.equal(next.seq, delta.seq);
      assert.equal(applyDelta(next, delta, limit), undefined, "a delta applies once");
      state = next;
    }
  });
});

test("a delta of another state is refused, over and under", () => {
  const state: BoardState = { epoch: "e", seq: 5, as_of: "", period: { label: "all", closed: false }, total: 0, rows: [] };
  for (const prev of [4, 6, NaN, undefined as unknown as number]) {
    assert.equal(applyDelta(state, { prev, seq: 7, as_of: "", total: 0, upsert: [], remove: [] }), undefined);
  }
});

test("of a top view the first rows are kept", () => {
  const at = (rank: number, user: string): Row => ({ rank, user, score: 10 - rank, reached_at: instants[0]! });
  const state: BoardState = { epoch: "e", seq: 1, as_of: "", period: { label: "all", closed: false }, total: 2, rows: [at(1, "a"), at(2, "b")] };
  const next = applyDelta(state, { prev: 1, seq: 2, as_of: "", total: 3, upsert: [at(1, "c"), at(2, "a"), at(3, "b")], remove: [] }, 2);
  assert.deepEqual(next?.rows.map((r) => r.user), ["c", "a"]);
});

test("users are in the order of their bytes", () => {
  check(500, (random) => {
    const id = () => Array.from({ length: random.below(4) }, () => random.of([...users, "\uD7FF", "\uFFFF", "\u{10FFFF}"])).join("");
    const a = id();
    const b = id();
    assert.equal(Math.sign(compareUsers(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)), JSON.stringify([a, b]));
  });
});

test("a user's delta replaces members whole and takes out others", () => {
  const user: User = { id: "a", hidden: true, attributes: { country: "AT", team: "x" }, streaks: [], ranks: [] };
  const state = { epoch: "e", seq: 3, as_of: "", user };
  const next = applyUserDelta(state, { prev: 3, seq: 4, as_of: "t", user: { attributes: { country: "DE" } }, unset: ["hidden"] });
  assert.deepEqual(next, { epoch: "e", seq: 4, as_of: "t", user: { id: "a", attributes: { country: "DE" }, streaks: [], ranks: [] } });
  assert.equal(state.user.hidden, true);
  assert.equal(applyUserDelta(state, { prev: 2, seq: 4, as_of: "t", user: {} }), undefined);
});
