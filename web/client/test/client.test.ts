import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LaurelError, type BoardState } from "../src/index.js";
import { Bench, FakePage, FakeSocket, delta, row, settle, snapshot } from "./fake.js";

const week = { rule: "points", period: "week" };

function users(state: BoardState | undefined): string {
  return state ? state.rows.map((r) => r.user).join(" ") : "nothing";
}

describe("views", () => {
  test("one connection is made for the first view, and serves all", async () => {
    const bench = new Bench({ url: "https://laurel.test/base/", org: "shop" });
    assert.equal(bench.sockets.length, 0);
    assert.equal(bench.client.state, "idle");
    bench.client.top({ ...week, limit: 3, segment: "AT", fields: ["profile"] }, { max_hz: 2 });
    bench.client.around({ ...week, user: "ada", span: 2 });
    const socket = await bench.welcome();
    bench.client.users({ ...week, users: ["ada"] });
    bench.client.user("ada");
    bench.client.top(week);
    assert.equal(bench.sockets.length, 1);
    assert.equal(socket.url, "wss://laurel.test/base/v1/ws");
    assert.deepEqual(socket.protocols, ["laurel.v1"]);
    assert.deepEqual(socket.sent, [
      { type: "hello", token: "secret", org: "shop" },
      { type: "subscribe", id: "1", view: { kind: "top", ...week, segment: "AT", fields: ["profile"], limit: 3 }, max_hz: 2 },
      { type: "subscribe", id: "2", view: { kind: "around", ...week, user: "ada", span: 2 } },
      { type: "subscribe", id: "3", view: { kind: "users", ...week, users: ["ada"] } },
      { type: "subscribe", id: "4", view: { kind: "user", user: "ada" } },
      { type: "subscribe", id: "5", view: { kind: "top", ...week, limit: 50 } },
    ]);
    assert.deepEqual(bench.states, ["connecting", "open"]);
  });

  test("a snapshot, then deltas: state and events", async () => {
    const bench = new Bench();
    const view = bench.client.top({ ...week, limit: 2 });
    const seen: string[] = [];
    view.on("state", (status) => seen.push(status));
    view.on("snapshot", (s) => seen.push(`snapshot ${users(s)}`));
    view.on("delta", (d) => seen.push(`delta ${d.prev} ${d.seq}`));
    view.on("change", (s) => seen.push(`change ${users(s)}, ${view.state === s}`));
    view.on("period", (p) => seen.push(`${p.ended.label} ${p.started.label}`));
    const socket = await bench.welcome();
    assert.equal(view.state, undefined);
    socket.say(delta("1", 0, 1, [])); // before the snapshot: of no use
    socket.say(snapshot("1", 1, [row(1, "a", 5), row(2, "b", 4)]), delta("1", 1, 3, [row(1, "c", 9), row(2, "a", 5)], ["b"]));
    socket.say({ type: "period", id: "1", ended: { label: "2026-W47" }, started: { label: "2026-W48" } });
    socket.say(delta("77", 1, 3, []), { type: "of a newer server" }, snapshot("1", 4, []));
    assert.deepEqual(seen, [
      "live", "snapshot a b", "change a b, true", "delta 1 3", "change c a, true", "2026-W47 2026-W48", "snapshot ", "change , true",
    ]);
    assert.deepEqual(bench.errors, []);
  });

  test("a user view: members, and events", async () => {
    const bench = new Bench();
    const view = bench.client.user("ada");
    const events: string[] = [];
    view.on("event", (event) => events.push(event.type));
    const socket = await bench.welcome();
    const user = { id: "ada", hidden: true, streaks: [], ranks: [] };
    socket.say({ type: "snapshot", id: "1", epoch: "e", seq: 1, as_of: "t", user });
    socket.say({ type: "delta", id: "1", prev: 1, seq: 2, as_of: "u", user: { ranks: [1] }, unset: ["hidden"] });
    socket.say({ type: "event", id: "1", event: { type: "streak.extended", rule: "daily" } });
    assert.deepEqual(view.state, { epoch: "e", seq: 2, as_of: "u", user: { id: "ada", streaks: [], ranks: [1] } });
    assert.deepEqual(events, ["streak.extended"]);
  });

  test("a closed view is unsubscribed and silent; with the last one the connection goes, a little later", async () => {
    const bench = new Bench();
    const view = bench.client.top(week);
    const socket = await bench.welcome();
    socket.say(snapshot("1", 1, [row(1, "a", 5)]));
    const seen: string[] = [];
    view.on("change", () => seen.push("change"));
    view.on("state", (s) => seen.push(s));
    view.close();
    view.close();
    socket.say(delta("1", 1, 2, [], ["a"]));
    assert.deepEqual(seen, ["ended"]);
    assert.equal(users(view.state), "a");
    assert.deepEqual(socket.of("unsubscribe"), [{ type: "unsubscribe", id: "1" }]);
    await bench.time.pass(4_000);
    const other = bench.client.user("b");
    await bench.time.pass(10_000);
    assert.equal(socket.closedWith, undefined);
    other.close();
    await bench.time.pass(5_000);
    assert.equal(socket.closedWith, 1000);
    assert.equal(bench.client.state, "idle");
    bench.client.user("c");
    await settle();
    assert.equal(bench.sockets.length, 2);
  });

  test("an error that names a view ends it, and no other", async () => {
    const bench = new Bench();
    const bad = bench.client.top({ rule: "nothing", period: "week" });
    const good = bench.client.top(week);
    const told: LaurelError[] = [];
    bad.on("error", (err) => told.push(err));
    const ready = bad.ready();
    const socket = await bench.welcome();
    socket.say({ type: "error", id: "1", code: "rule_not_found", detail: "there is no such rule" });
    await assert.rejects(ready, { code: "rule_not_found", final: true });
    assert.equal(told.length, 1);
    assert.equal(bad.status, "ended");
    assert.equal(bad.error, told[0]);
    socket.say(snapshot("2", 1, []));
    assert.equal(good.status, "live");
    socket.end(1006);
    await bench.time.pass(1_000);
    const again = await bench.welcome();
    assert.equal(again.of("subscribe").length, 1);
  });

  test("a view that cannot be told now is asked for again, later and later", async () => {
    const bench = new Bench();
    const view = bench.client.top(week);
    const told: boolean[] = [];
    view.on("error", (err) => told.push(err.final));
    const socket = await bench.welcome();
    socket.say({ type: "error", id: "1", code: "unavailable", detail: "" });
    await bench.time.pass(124);
    assert.equal(socket.of("subscribe").length, 1);
    await bench.time.pass(1);
    assert.equal(socket.of("subscribe").length, 2);
    socket.say({ type: "error", id: "2", code: "unavailable", detail: "" });
    await bench.time.pass(249);
    assert.equal(socket.of("subscribe").length, 2);
    await bench.time.pass(1);
    socket.say(snapshot("3", 1, []));
    assert.equal(view.status, "live");
    assert.deepEqual(told, [false, false]);
  });

  test("events that were lost are told, and the view goes on", async () => {
    const bench = new Bench();
    const view = bench.client.user("ada");
    const told: string[] = [];
    view.on("error", (err) => told.push(`${err.code} ${err.final}`));
    const socket = await bench.welcome();
    socket.say({ type: "snapshot", id: "1", epoch: "e", seq: 1, as_of: "t", user: { id: "ada" } });
    socket.say({ type: "error", id: "1", code: "events_lost", detail: "7 events" });
    assert.deepEqual(told, ["events_lost false"]);
    assert.equal(view.status, "live");
  });

  test("an iterator gives the latest state, and ends with the view", async () => {
    const bench = new Bench();
    const view = bench.client.top(week);
    const seen: number[] = [];
    const loop = (async () => {
      for await (const state of view) {
        seen.push(state.seq);
        await settle();
      }
    })();
    const socket = await bench.welcome();
    socket.say(snapshot("1", 1, []));
    await settle();
    for (let seq = 1; seq < 9; seq++) socket.say(delta("1", seq, seq + 1, []));
    await settle();
    await settle();
    view.close();
    await loop;
    assert.equal(seen.at(0), 1);
    assert.equal(seen.at(-1), 9);
    assert.ok(seen.length <= 3, String(seen));
    assert.equal((await view.ready()).seq, 9);
  });

  test("a listener that opens or closes views is no trouble", async () => {
    const bench = new Bench();
    const first = bench.client.top(week);
    bench.client.on("state", (state) => state === "open" && bench.client.user("b"));
    const seen: string[] = [];
    first.on("snapshot", () => first.close());
    first.on("change", () => seen.push("after the end"));
    const socket = await bench.welcome();
    const kinds = socket.of("subscribe").map((m) => m["view"].kind);
    assert.deepEqual(kinds, ["user", "top"], "each once");
    socket.say(snapshot("2", 1, []));
    assert.equal(first.status, "ended");
    assert.deepEqual(seen, []);
  });
});

describe("connection", () => {
  test("after a loss each view resumes from what it holds", async () => {
    const bench = new Bench();
    const view = bench.client.top(week);
    const other = bench.client.user("b");
    let socket = await bench.welcome();
    socket.say(snapshot("1", 7, [row(1, "a", 5)]));
    socket.end(1006);
    assert.deepEqual([view.status, other.status, users(view.state)], ["stale", "pending", "a"]);
    await bench.time.pass(125);
    socket = await bench.welcome();
    assert.deepEqual(socket.of("subscribe").map((m) => [m["id"], m["since"]]), [["3", { epoch: "e", seq: 7 }], ["4", undefined]]);
    socket.say(delta("3", 7, 8, [], ["a"]));
    assert.equal(users(view.state), "a", "a delta before the answer is none of this subscription");
    socket.say({ type: "resumed", id: "3", seq: 7 });
    assert.equal(view.status, "live");
    socket.say(delta("3", 7, 8, [row(1, "b", 9)], ["a"]));
    assert.equal(users(view.state), "b");
  });

  for (const [what, message] of [
    ["a delta that does not fit", delta("1", 6, 9, [], ["a"])],
    ["a resumed that does not fit", { type: "resumed", id: "1", seq: 6 }],
    ["a snapshot of something else", { type: "snapshot", id: "1", epoch: "x", seq: 1 }],
    ["a delta that is none", { type: "delta", id: "1", prev: 7, seq: 8 }],
    ["no message", null],
  ] as const) {
    test(`${what} changes nothing; the view is subscribed anew`, async () => {
      const bench = new Bench();
      const view = bench.client.top(week);
      const first = await bench.welcome();
      first.say(snapshot("1", 7, [row(1, "a", 5)]));
      first.say(message, delta("1", 7, 8, [], ["a"]));
      assert.equal(first.closedWith, 4003);
      assert.deepEqual([users(view.state), view.status], ["a", "stale"]);
      await bench.time.pass(125);
      const socket = await bench.welcome();
      assert.equal(socket.of("subscribe").length, 1);
      socket.say(snapshot("2", 1, [row(1, "b", 5)], "f"));
      assert.deepEqual([users(view.state), view.status], ["b", "live"]);
    });
  }

  test("what did not fit is not resumed", async () => {
    const bench = new Bench();
    bench.client.top(week);
    const other = bench.client.top({ ...week, limit: 3 });
    const first = await bench.welcome();
    first.say(snapshot("1", 7, []), snapshot("2", 4, []), delta("1", 6, 9, []), { type: "welcome", server_time: "" });
    assert.equal(bench.client.state, "waiting", "nothing behind it counts");
    await bench.time.pass(125);
    const socket = await bench.welcome();
    assert.deepEqual(socket.of("subscribe").map((m) => m["since"]), [undefined, { epoch: "e", seq: 4 }]);
    assert.equal(other.status, "stale");
  });

  test("attempts come after random waits that grow, and are forgiven after a stable connection", async () => {
    const bench = new Bench();
    bench.client.top(week);
    await settle();
    for (const wait of [125, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const made = bench.sockets.length;
      bench.socket.end(1006);
      await bench.time.pass(wait - 1);
      assert.equal(bench.sockets.length, made, `too early for ${wait}`);
      await bench.time.pass(1);
      assert.equal(bench.sockets.length, made + 1, `too late for ${wait}`);
    }
    await bench.welcome();
    bench.socket.end(4000);
    await bench.time.pass(14_999);
    const made = bench.sockets.length;
    await bench.time.pass(1);
    assert.equal(bench.sockets.length, made + 1);
    await bench.welcome();
    await bench.time.pass(10_000);
    bench.socket.end(4002);
    await bench.time.pass(125);
    assert.equal(bench.sockets.length, made + 2);
  });

  test("a drain says when to come back", async () => {
    const bench = new Bench({}, new FakePage());
    bench.client.top(week);
    const socket = await bench.welcome();
    socket.say({ type: "drain", reconnect_in_ms: 3_456 });
    socket.end(4001, "drain");
    bench.time.page!.tell("online");
    await bench.time.pass(3_455);
    assert.equal(bench.sockets.length, 1);
    await bench.time.pass(1);
    assert.equal(bench.sockets.length, 2);
    bench.socket.end(1006);
    await bench.time.pass(250);
    assert.equal(bench.sockets.length, 3, "the next wait is an ordinary one");
  });

  for (const code of [1001, 1006, 1011, 4000, 4001, 4499, 5000]) {
    test(`${code}: connect again`, async () => {
      const bench = new Bench();
      bench.client.top(week);
      (await bench.welcome()).end(code);
      await bench.time.pass(1_000);
      assert.equal(bench.sockets.length, 2);
      assert.deepEqual(bench.errors, []);
    });
  }

  for (const code of [4500, 4501, 4999]) {
    test(`${code}: do not, and say why`, async () => {
      const bench = new Bench();
      const view = bench.client.top(week);
      let error: LaurelError | undefined;
      bench.client.on("error", (err) => (error = err));
      await settle();
      bench.socket.open();
      bench.socket.say({ type: "error", code: "unauthorized", detail: "token is not valid" });
      bench.socket.end(code, "unauthorized");
      await bench.time.pass(60_000);
      assert.equal(bench.sockets.length, 1);
      assert.equal(bench.client.state, "closed");
      assert.equal(error?.message, "unauthorized: token is not valid");
      assert.equal(view.error, error);
      assert.throws(() => bench.client.user("x"), { code: "closed" });
      assert.equal(bench.time.timers, 0);
    });
  }

  test("pings are answered; a connection from which nothing comes is given up", async () => {
    const bench = new Bench();
    bench.client.top(week);
    const socket = await bench.welcome({ ping_ms: 1_000, pong_ms: 500 });
    for (let i = 0; i < 5; i++) {
      await bench.time.pass(1_499);
      socket.say({ type: "ping", at: "t" });
    }
    assert.equal(socket.of("pong").length, 5);
    await bench.time.pass(1_499);
    assert.equal(bench.client.state, "open");
    await bench.time.pass(1);
    assert.equal(socket.closedWith, 4004);
    assert.equal(bench.client.state, "waiting");
    socket.end(1006);
    assert.equal(bench.client.state, "waiting", "its end is no news");
    await bench.time.pass(125);
    assert.equal(bench.sockets.length, 2);
  });

  test("an attempt that takes too long is another failure", async () => {
    const bench = new Bench({ connectTimeoutMs: 2_000 });
    bench.client.top(week);
    await settle();
    bench.socket.open();
    await bench.time.pass(2_000);
    assert.equal(bench.client.state, "waiting");
    assert.equal(bench.socket.closedWith, 1000);
    await bench.time.pass(125);
    assert.equal(bench.sockets.length, 2);
  });

  test("close ends everything and leaves nothing behind", async () => {
    const page = new FakePage();
    const bench = new Bench({}, page);
    const view = bench.client.top(week);
    const socket = await bench.welcome();
    socket.say(snapshot("1", 1, []));
    const seen: string[] = [];
    view.on("state", (s) => seen.push(s));
    bench.client.close();
    bench.client.close();
    assert.deepEqual([view.status, seen, socket.closedWith, bench.client.state], ["ended", ["ended"], 1000, "closed"]);
    await bench.time.pass(60_000);
    assert.equal(bench.time.timers, 0);
    assert.deepEqual([...page.listeners.values()].map((list) => list.size), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual(bench.errors, []);
  });

  test("what makes no WebSocket ends the client", async () => {
    const bench = new Bench({
      WebSocket: class extends FakeSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          throw new SyntaxError("bad address");
        }
      },
    });
    bench.client.top(week);
    await settle();
    assert.deepEqual(bench.errors, ["connect!"]);
  });
});
