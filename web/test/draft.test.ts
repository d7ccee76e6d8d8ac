// What forms make of what is filled in, as far as it needs no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, outcome, type Recorded } from "../src/console/user/effects.js";
import type { Definition } from "../src/console/user/definitions.js";
import { activityOf, emptyDraft, fieldOf, fieldsOf, kinds, withOffset, type Draft } from "../src/console/user/draft.js";
import { pastOf, type Activity } from "../src/console/user/past.js";

const made = (draft: Draft, chosen?: Definition) => activityOf(draft, fieldsOf(draft, chosen), "ada", "1");

test("every kind and action asks for what the server wants of it, and for nothing else", () => {
  const asked = kinds.flatMap(({ kind, actions }) => (actions.length > 0 ? actions : [""]).map((action) => [kind, action, fieldsOf({ ...emptyDraft(kind), action }, undefined).map(({ name }) => name).join(" ")].join(": ")));
  assert.deepEqual(asked, [
    "behaviour: : name value at",
    "coupon: redeem: name at", "coupon: refund: name meta.of at",
    "point: increment: name value at", "point: set: name value at", "point: redeem: name value at", "point: refund: name meta.of value at",
    "gift: : user name at",
    "bounty: start: name value at", "bounty: cancel: name meta.of at", "bounty: award: name meta.of meta.to at",
  ]);
});

test("an activity has what was filled in, by its type, and nothing that was not; values of fields that are not asked for any more are left out", () => {
  const buy: Definition = { id: "buy", name: "buy", about: "", meta: { amount: "number", items: "integer", express: "boolean", note: "string" } };
  const values = { name: "buy", value: " 2.5 ", "meta.amount": "1e3", "meta.items": "-4", "meta.express": "false", "meta.note": "  ", "meta.of": "x" };
  assert.deepEqual(made({ kind: "behaviour", action: "", values, pairs: [] }, buy), { activity: { id: "1", user: "ada", kind: "behaviour", name: "buy", value: 2.5, meta: { amount: 1000, items: -4, express: false } } });
  assert.deepEqual(made({ kind: "point", action: "refund", values: { name: "coins", value: "", "meta.of": "p1" }, pairs: [] }), { activity: { id: "1", user: "ada", kind: "point", name: "coins", meta: { action: "refund", of: "p1" } } });
  assert.deepEqual(made({ kind: "bounty", action: "start", values: { name: "bug", value: "7", "meta.to": "bob" }, pairs: [] }), { activity: { id: "1", user: "ada", kind: "bounty", name: "bug", value: 7, meta: { action: "start" } } });
});

test("a gift goes from somebody to the page's user", () => {
  assert.deepEqual(made({ kind: "gift", action: "", values: { user: "bob", name: "tea" }, pairs: [] }), { activity: { id: "1", user: "bob", kind: "gift", name: "tea", meta: { to: "ada" } } });
  assert.deepEqual(made({ kind: "gift", action: "", values: { name: "tea" }, pairs: [] }).activity!.user, undefined, "the page's user does not give");
});

test("what rules would pass over in silence is refused here; what the server refuses is sent to it", () => {
  const visit: Definition = { id: "visit", name: "visit", about: "", meta: { depth: "number", items: "integer" } };
  assert.deepEqual(made({ kind: "behaviour", action: "", values: { name: "visit", "meta.depth": "deep", "meta.items": "1.5" }, pairs: [] }, visit).faults, { "meta.depth": "This must be a number.", "meta.items": "This must be a whole number." });
  const pairs = [{ key: "a", type: "number", value: "one" }, { key: "", type: "text", value: "x" }, { key: "b", type: "text", value: "" }, { key: "b", type: "text", value: "2" }, { key: "", type: "text", value: "" }, { key: "c", type: "choice", value: "" }] as const;
  assert.deepEqual(Object.keys(made({ kind: "behaviour", action: "", values: { name: "visit" }, pairs }).faults!), ["pair.0", "pair.1", "pair.3", "pair.5"]);
  assert.equal(made({ kind: "point", action: "set", values: { name: "coins", value: "many" }, pairs: [] }).activity!.value as unknown, "many");
  const safe = made({ kind: "behaviour", action: "", values: { name: "visit" }, pairs: [{ key: "toString", type: "text", value: "x" }] });
  assert.deepEqual(safe.activity!.meta, { toString: "x" });
});

test("a time has the offset that is in force here then", () => {
  for (const text of ["2026-01-15T12:30", "2026-07-15T12:30:05", "1999-12-31T23:59:59"]) {
    const written = withOffset(text);
    assert.match(written, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
    assert.equal(Date.parse(written), new Date(text).getTime());
  }
  assert.equal(withOffset("tomorrow"), "tomorrow");
});

test("a refusal stands beside the field that it names, or that it is about, if the form has it", () => {
  const fields = fieldsOf({ ...emptyDraft("point"), action: "refund" }, undefined);
  const at = (code: string, field?: string) => fieldOf({ code, field }, fields);
  assert.deepEqual([at("bad_request", "value"), at("not_refundable", "meta.of"), at("insufficient_points"), at("bad_request", "meta.to"), at("overloaded")], ["value", "meta.of", "value", undefined, undefined]);
  assert.equal(fieldOf({ code: "insufficient_points", field: undefined }, fieldsOf(emptyDraft("coupon"), undefined)), "name");
  assert.equal(fieldOf({ code: "gift_to_self", field: "meta.to" }, fieldsOf(emptyDraft("gift"), undefined)), "user");
});

const did = (id: string, kind: Activity["kind"], meta: object, amount: number, more: Partial<Activity> = {}): Activity => ({ id, kind, name: "coins", user: "ada", at: "2026-11-22T10:00:00.000Z", received_at: "2026-11-22T10:00:00.000Z", status: "accepted", meta, decided: { rows: [{ wallet: "coins", type: "redeem", amount }] }, ...more } as Activity);

test("what can be refunded, cancelled or awarded: what counts, and is not undone in full", () => {
  const points = [
    did("r1", "point", { action: "refund", of: "p1" }, 4), did("r2", "point", { action: "refund", of: "p2" }, 10), did("r3", "point", { action: "refund", of: "p3" }, 9, { status: "rejected" }),
    did("p1", "point", { action: "redeem" }, -10), did("p2", "point", { action: "redeem" }, -10), did("p3", "point", { action: "redeem" }, -9), did("p4", "point", { action: "redeem" }, -1, { status: "rejected" }),
    did("p5", "point", { action: "redeem" }, -1, { name: "gems" }), did("p6", "point", { action: "set" }, 5),
  ];
  const of = (kind: Draft["kind"], action: string, list: readonly Activity[]) => pastOf({ kind, action, values: { name: "coins" }, pairs: [] }, list).map(({ id, left }) => [id, left]);
  assert.deepEqual(of("point", "refund", points), [["p1", 6], ["p3", 9]]);
  assert.deepEqual(of("point", "redeem", points), []);
  const bounties = [did("a", "bounty", { action: "award", of: "b1", to: "bob" }, 0), did("c", "bounty", { action: "cancel", of: "b2" }, 5), did("b1", "bounty", { action: "start" }, -5), did("b2", "bounty", { action: "start" }, -5), did("b3", "bounty", { action: "start" }, -5)];
  assert.deepEqual(of("bounty", "award", bounties), [["b3", 5]]);
  assert.deepEqual(of("coupon", "refund", [did("c1", "coupon", { action: "redeem" }, 0)]), [["c1", undefined]], "what cost nothing");
});

test("what became of an activity, and what it changed", () => {
  const activity = did("1", "behaviour", {}, 0);
  const recorded = (more: Partial<Recorded>): Recorded => ({ id: "1", status: "accepted", durability: "fsync", revision: "r", activity, ...more });
  const effects = { boards: [{ rule: "points", cycle: "week", label: "2026-W47", value: 12, rank: 1, rank_before: 3 }, { rule: "points", segment: "AT", cycle: "all", label: "all", value: 12, rank: 2 }], streaks: [{ rule: "daily", current: 3, longest: 4, extended: true, state: "active" }, { rule: "weekly", current: 2, longest: 2, extended: false, state: "active" }], wallets: [{ wallet: "coins", change: -5, balance: 7, earned: 12 }] } as const;
  assert.equal(outcome(recorded({ effects: effects as never })), "Recorded: behaviour coins.");
  assert.match(outcome(recorded({ effects: { boards: [], streaks: [effects.streaks[1]], wallets: [] } })), /No board, streak or wallet moved/);
  assert.match(outcome(recorded({ status: "ignored", activity: { ...activity, reason: "blocked" } })), /without effect.*The user is blocked/);
  assert.deepEqual(changes(recorded({ effects: effects as never, closed_for: [{ rule: "points", label: "2026-W01" }] })).map((row) => Object.values(row).join("|")), [
    "Wallet|coins|−5|balance 7", "Streak|daily|3|extended", "Board|points, this week|12|rank 1, was 3", "Board|points @ AT, all time|12|rank 2, new", "Board|points, 2026-W01|–|closed: too late to count",
  ]);
});
