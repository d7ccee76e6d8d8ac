// Tokens that end, and pages that nobody looks at.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bench, FakePage, settle, snapshot, welcome } from "./fake.js";

const week = { rule: "points", period: "week" };

describe("tokens", () => {
  test("each connection asks for one; when that fails it is tried again", async () => {
    let calls = 0;
    const token = async () => {
      if (++calls === 2) throw new Error("no network");
      return `token ${calls}`;
    };
    const bench = new Bench({ token });
    bench.client.top(week);
    assert.deepEqual((await bench.welcome()).of("hello"), [{ type: "hello", token: "token 1" }]);
    bench.socket.end(4005, "token_expired");
    await bench.time.pass(125);
    assert.deepEqual([bench.errors, bench.client.state, bench.sockets.length], [["token"], "waiting", 1]);
    await bench.time.pass(250);
    assert.deepEqual((await bench.welcome()).of("hello"), [{ type: "hello", token: "token 3" }]);
  });

  const limits = { ping_ms: 3_600_000 };

  test("one that ends is followed by the next on the same connection", async () => {
    let calls = 0;
    const bench = new Bench({ token: () => `token ${++calls}` });
    bench.client.top(week);
    await settle();
    const { socket } = bench;
    socket.open();
    socket.say(welcome({ limits, expires_in: 600 }));
    await bench.time.pass(539_999);
    assert.equal(calls, 1);
    await bench.time.pass(1);
    assert.deepEqual(socket.of("token"), [{ type: "token", token: "token 2" }]);
    socket.say(welcome({ limits, expires_in: 660 }));
    await bench.time.pass(599_999);
    assert.equal(calls, 2);
    await bench.time.pass(1);
    assert.equal(socket.of("token").length, 2);
    socket.say(welcome({ limits }));
    await bench.time.pass(3_000_000);
    assert.equal(calls, 3, "this one does not end");
    assert.deepEqual([socket.of("subscribe").length, socket.of("hello").length, bench.sockets.length], [1, 1, 1]);
  });

  test("a callback that fails is called again before the end, and what is refused, or the same, is followed by the next", async () => {
    let calls = 0;
    const bench = new Bench({
      token: () => {
        if (++calls === 2) throw new Error("no network");
        return calls === 3 ? "token 1" : `token ${calls}`;
      },
    });
    bench.client.top(week);
    await settle();
    const { socket } = bench;
    socket.open();
    socket.say(welcome({ limits, expires_in: 600 }));
    await bench.time.pass(540_000);
    assert.deepEqual([calls, bench.errors], [2, ["token"]]);
    await bench.time.pass(30_000);
    assert.deepEqual([calls, socket.of("token").length], [3, 0]);
    await bench.time.pass(15_000);
    assert.deepEqual([calls, socket.of("token").length], [4, 1]);
    socket.say({ type: "error", code: "forbidden", detail: "of another user" });
    await bench.time.pass(7_500);
    assert.deepEqual([calls, socket.of("token").length], [5, 2]);
    assert.deepEqual([bench.errors, bench.client.state], [["token", "forbidden"], "open"]);
  });

  test("one that was given as it is cannot be had anew", async () => {
    const bench = new Bench();
    bench.client.top(week);
    await settle();
    bench.socket.open();
    bench.socket.say(welcome({ limits, expires_in: 600 }));
    await bench.time.pass(600_000);
    assert.equal(bench.socket.of("token").length, 0);
  });
});

describe("a page", () => {
  test("that is hidden for long has no connection, and one at once when it is seen again", async () => {
    const page = new FakePage();
    const bench = new Bench({}, page);
    const view = bench.client.top(week);
    const socket = await bench.welcome({ ping_ms: 3_600_000 });
    socket.say(snapshot("1", 7, []));
    page.visible = false;
    await bench.time.pass(59_999);
    page.visible = true; // and the probe is answered
    socket.say({ type: "error", id: "probe", code: "not_subscribed", detail: "" });
    page.visible = false;
    await bench.time.pass(59_999);
    page.tell("online");
    assert.equal(bench.client.state, "open");
    await bench.time.pass(1);
    assert.deepEqual([bench.client.state, socket.closedWith, view.status], ["paused", 1000, "stale"]);
    page.tell("online");
    bench.client.user("b");
    await bench.time.pass(3_600_000);
    assert.equal(bench.sockets.length, 1);
    page.visible = true;
    const again = await bench.welcome();
    assert.deepEqual(again.of("subscribe").map((m) => m["since"]), [{ epoch: "e", seq: 7 }, undefined]);
  });

  test("that was opened in the background has a connection for as long", async () => {
    const page = new FakePage();
    page.visible = false;
    const bench = new Bench({ pauseHiddenAfterMs: 1_000 }, page);
    bench.client.top(week);
    await bench.welcome();
    await bench.time.pass(1_000);
    assert.equal(bench.client.state, "paused");
  });

  test("that is frozen, or kept for later, has none", async () => {
    for (const [away, back] of [["freeze", "resume"], ["pagehide", "pageshow"]] as const) {
      const page = new FakePage();
      const bench = new Bench({ pauseHiddenAfterMs: Infinity }, page);
      bench.client.top(week);
      await bench.welcome();
      page.tell(away);
      assert.equal(bench.client.state, "paused");
      page.tell(back);
      await bench.welcome();
      assert.equal(bench.client.state, "open");
    }
  });

  test("that is seen again does not wait for the next attempt", async () => {
    const page = new FakePage();
    const bench = new Bench({}, page);
    bench.client.top(week);
    await settle();
    bench.socket.end(1006);
    assert.equal(bench.client.state, "waiting");
    page.tell("online");
    await settle();
    assert.equal(bench.sockets.length, 2);
    await bench.time.pass(200);
    assert.equal(bench.sockets.length, 2, "the attempt that waited is off");
  });

  test("that is seen again finds out whether its connection still is one", async () => {
    const page = new FakePage();
    const bench = new Bench({}, page);
    bench.client.top(week);
    const socket = await bench.welcome();
    page.visible = true;
    assert.equal(socket.of("unsubscribe").length, 0, "it spoke just now");
    await bench.time.pass(2_000);
    page.visible = true;
    assert.deepEqual(socket.of("unsubscribe"), [{ type: "unsubscribe", id: "probe" }]);
    socket.say({ type: "error", id: "probe", code: "not_subscribed", detail: "" });
    await bench.time.pass(5_000);
    assert.equal(bench.client.state, "open");
    page.visible = true;
    await bench.time.pass(4_999);
    assert.equal(bench.sockets.length, 1);
    await bench.time.pass(1);
    assert.equal(bench.sockets.length, 2);
    assert.deepEqual(bench.errors, []);
  });
});
