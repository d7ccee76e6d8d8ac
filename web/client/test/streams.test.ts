// Server-Sent Events as a transport, and which transport is taken; the test is the server.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Laurel, type Fetch } from "../src/index.js";
import { Bench, FakeTime, delta, row, settle, snapshot } from "./fake.js";

const week = { rule: "points", period: "week" };

/** A request for a stream, and its answer. */
class Request {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  #answer: ((answer: Awaited<ReturnType<Fetch>>) => void) | undefined;
  #fail: ((err: unknown) => void) | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly answered: ReturnType<Fetch>;

  constructor(
    readonly url: URL,
    init: Parameters<Fetch>[1],
  ) {
    this.headers = init.headers;
    this.signal = init.signal;
    this.answered = new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
    this.signal.addEventListener("abort", () => {
      this.fail();
    });
  }

  fail(): void {
    this.#fail?.(new TypeError("fetch failed"));
    try {
      this.#stream?.error(new TypeError("terminated"));
    } catch {
      // it has ended
    }
  }

  async accept(): Promise<void> {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#stream = controller) });
    this.#answer!({ ok: true, status: 200, body, json: () => Promise.reject(new Error("no JSON")) });
    this.write("retry: 1480\n\n");
    await settle();
  }

  async refuse(status: number, problem: unknown): Promise<void> {
    this.#answer!({ ok: false, status, body: undefined, json: () => (problem ? Promise.resolve(problem) : Promise.reject(new SyntaxError("no JSON"))) });
    await settle();
  }

  write(text: string): void {
    this.#stream!.enqueue(new TextEncoder().encode(text));
  }

  async say(...messages: { type: string }[]): Promise<void> {
    for (const m of messages) this.write(`id: e.1\nevent: ${m.type}\ndata: ${JSON.stringify(m)}\n\n`);
    await settle();
  }

  async finish(): Promise<void> {
    if (!this.signal.aborted) this.#stream!.close();
    await settle();
  }
}

/** A client that goes by streams, and the requests that it has made. */
class StreamBench {
  readonly requests: Request[] = [];
  readonly time = new FakeTime();
  readonly client: Laurel;
  readonly states: string[] = [];
  readonly errors: string[] = [];

  constructor(token: () => string = () => "secret") {
    const fetch: Fetch = (url, init) => {
      const request = new Request(new URL(url), init);
      this.requests.push(request);
      return request.answered;
    };
    this.client = new Laurel({ url: "https://laurel.test/base", org: "shop", token, transport: "sse", fetch, environment: this.time });
    this.client.on("state", (state) => this.states.push(state));
    this.client.on("error", (error) => this.errors.push(error.code + (error.final ? "!" : "")));
  }

  async accept(): Promise<Request> {
    await settle();
    const request = this.requests.at(-1)!;
    await request.accept();
    return request;
  }
}

const users = (view: { state: { rows: readonly { user: string }[] } | undefined }) => view.state?.rows.map((r) => r.user).join(" ");

describe("streams", () => {
  test("each view is a request, and its messages are those of the view", async () => {
    const bench = new StreamBench();
    const view = bench.client.range({ ...week, from: 11, to: 20, segment: "A T", fields: ["profile"] }, { max_hz: 2 });
    const request = await bench.accept();
    assert.equal(request.url.href, "https://laurel.test/base/v1/stream?kind=range&rule=points&period=week&segment=A+T&fields=profile&from=11&to=20&max_hz=2");
    assert.deepEqual(request.headers, { Authorization: "Bearer secret", "Laurel-Org": "shop" });
    assert.deepEqual([bench.states, bench.client.transport], [["connecting", "open"], "sse"]);
    const other = bench.client.users({ ...week, users: ["a&b", "c"] });
    const second = await bench.accept();
    assert.deepEqual(second.url.searchParams.getAll("users"), ["a&b", "c"]);
    await request.say(snapshot("sse", 1, [row(1, "a", 5)]), delta("sse", 1, 3, [row(1, "c", 9), row(2, "a", 5)]));
    await second.say(snapshot("sse", 1, [row(1, "b", 5)]));
    assert.deepEqual([users(view), users(other)], ["c a", "b"]);
    view.close();
    assert.deepEqual([request.signal.aborted, second.signal.aborted, bench.client.state], [true, false, "open"]);
    bench.client.close();
    assert.equal(second.signal.aborted, true);
    await settle();
    assert.deepEqual([bench.time.timers, bench.errors], [0, []]);
  });

  test("it is open when the server has answered, and not before", async () => {
    const bench = new StreamBench();
    bench.client.top(week);
    await settle();
    assert.equal(bench.client.state, "connecting");
    bench.requests[0]!.fail();
    await settle();
    assert.equal(bench.client.state, "waiting");
    await bench.time.pass(125);
    assert.equal(bench.client.state, "connecting");
    await bench.time.pass(15_000);
    assert.deepEqual([bench.client.state, bench.requests[1]!.signal.aborted], ["waiting", true]);
    await bench.time.pass(1_000);
    await bench.accept();
    assert.equal(bench.client.state, "open");
  });

  for (const [what, end] of [
    ["breaks off", (r: Request) => r.fail()],
    ["ends", (r: Request) => r.finish()],
    ["says what is no message", (r: Request) => r.write("data: {\n\n")],
    ["is closed by a node that stops", (r: Request) => r.say({ type: "close", code: 4000, reason: "shutdown" } as never)],
  ] as const) {
    test(`one that ${what} takes the others along, and all resume`, async () => {
      const bench = new StreamBench();
      const view = bench.client.top(week);
      const first = await bench.accept();
      bench.client.top({ ...week, limit: 3 });
      const second = await bench.accept();
      await first.say(snapshot("sse", 7, []));
      await end(first);
      await settle();
      assert.deepEqual([bench.client.state, view.status, second.signal.aborted], ["waiting", "stale", true]);
      await bench.time.pass(125);
      assert.deepEqual(bench.requests.slice(2).map((r) => r.url.searchParams.get("last_event_id")), ["e.7", null]);
      await bench.requests[2]!.accept();
      await bench.requests[2]!.say({ type: "resumed", id: "sse", seq: 7 } as never);
      assert.deepEqual([view.status, bench.errors], ["live", []]);
    });
  }

  test("one that is silent for longer than the server promised has been lost", async () => {
    const bench = new StreamBench();
    bench.client.top(week);
    const request = await bench.accept();
    for (let i = 0; i < 4; i++) {
      await bench.time.pass(15_000);
      request.write(":\n\n");
      await settle();
    }
    assert.equal(bench.client.state, "open");
    await bench.time.pass(34_999);
    assert.equal(bench.client.state, "open");
    await bench.time.pass(1);
    assert.deepEqual([bench.client.state, request.signal.aborted], ["waiting", true]);
  });

  test("a drain says when to come back", async () => {
    const bench = new StreamBench();
    bench.client.top(week);
    const request = await bench.accept();
    await request.say({ type: "drain", reconnect_in_ms: 3_456 } as never, { type: "close", code: 4001, reason: "drain" } as never);
    await bench.time.pass(3_455);
    assert.equal(bench.requests.length, 1);
    await bench.time.pass(1);
    assert.equal(bench.requests.length, 2);
  });

  test("a token that has ended is followed by another", async () => {
    let tokens = 0;
    const bench = new StreamBench(() => `token ${++tokens}`);
    bench.client.top(week);
    await (await bench.accept()).say({ type: "close", code: 4005, reason: "token_expired" } as never);
    await bench.time.pass(125);
    assert.deepEqual(bench.requests.map((r) => r.headers["Authorization"]), ["Bearer token 1", "Bearer token 2"]);
  });

  test("a view whose subject goes ends alone", async () => {
    const bench = new StreamBench();
    const view = bench.client.user("ada");
    const first = await bench.accept();
    const other = bench.client.top(week);
    const second = await bench.accept();
    await second.say(snapshot("sse", 1, []));
    await first.say(
      { type: "error", id: "sse", code: "user_not_found", detail: "she is gone" } as never,
      { type: "close", code: 4500, reason: "bad_request" } as never,
    );
    assert.deepEqual([view.error?.message, other.status, bench.client.state], ["user_not_found: she is gone", "live", "open"]);
    await first.finish();
    assert.deepEqual([bench.client.state, bench.errors], ["open", []]);
  });

  test("a revoked key ends everything", async () => {
    const bench = new StreamBench();
    const view = bench.client.top(week);
    const request = await bench.accept();
    await request.say({ type: "error", code: "unauthorized", detail: "token is not valid" } as never, { type: "close", code: 4501, reason: "unauthorized" } as never);
    assert.deepEqual([bench.client.state, view.error?.message, bench.errors], ["closed", "unauthorized: token is not valid", ["unauthorized", "unauthorized!"]]);
  });

  test("what is refused: a view, a token", async () => {
    const bench = new StreamBench();
    const view = bench.client.top({ rule: "none", period: "week" });
    await settle();
    await bench.requests[0]!.refuse(404, { code: "rule_not_found", title: "Not Found", detail: "no such rule" });
    assert.deepEqual([view.error?.message, view.status, bench.client.state], ["rule_not_found: no such rule", "ended", "open"]);
    const other = bench.client.top(week);
    await settle();
    await bench.requests[1]!.refuse(401, { code: "unauthorized", title: "Unauthorized" });
    assert.deepEqual([other.error?.message, bench.client.state], ["unauthorized: Unauthorized", "closed"]);
  });

  test("what cannot be had now is asked for again", async () => {
    const bench = new StreamBench();
    const view = bench.client.top(week);
    await settle();
    await bench.requests[0]!.refuse(503, { code: "limit", title: "full" });
    assert.equal(bench.client.state, "waiting");
    await bench.time.pass(125);
    await bench.requests[1]!.refuse(502, undefined);
    assert.equal(bench.client.state, "waiting");
    await bench.time.pass(250);
    await bench.requests[2]!.accept();
    const other = bench.client.user("ada");
    const told: string[] = [];
    other.on("error", (err) => told.push(`${err.code} ${err.final}`));
    await settle();
    await bench.requests[3]!.refuse(429, { code: "limit", title: "too many" });
    assert.deepEqual([bench.client.state, view.status, told], ["open", "pending", ["unavailable false"]]);
    await bench.time.pass(125);
    assert.equal(bench.requests.length, 5);
  });
});

describe("which transport", () => {
  const never: Fetch = () => new Promise(() => {});

  function auto() {
    const dialled: string[] = [];
    const requests: Request[] = [];
    const bench = new Bench({
      transport: "auto",
      fetch: (url, init) => {
        const request = new Request(new URL(url), init);
        requests.push(request);
        dialled.push("sse");
        return request.answered;
      },
    });
    const lose = async () => {
      const made = bench.sockets.length + requests.length;
      if (dialled.at(-1) === "sse") requests.at(-1)!.fail();
      else bench.socket.end(1006);
      for (let ms = 0; bench.sockets.length + requests.length === made && ms < 40_000; ms += 500) await bench.time.pass(500);
      if (bench.sockets.length + dialled.filter((d) => d === "sse").length > dialled.length) dialled.push("ws");
    };
    return { bench, dialled, requests, lose };
  }

  test("where WebSockets do not get through, and streams do, these are taken from then on", async () => {
    const { bench, dialled, requests, lose } = auto();
    bench.client.top(week);
    await settle();
    dialled.push("ws");
    await lose();
    await lose();
    assert.deepEqual(dialled, ["ws", "ws", "sse"]);
    await requests[0]!.accept();
    assert.equal(bench.client.transport, "sse");
    for (let i = 0; i < 2; i++) {
      await bench.time.pass(11_000);
      await lose();
      await requests.at(-1)!.accept();
    }
    assert.deepEqual(dialled, ["ws", "ws", "sse", "sse", "sse"]);
  });

  test("while a server is down they take turns; a WebSocket that got through before goes first again", async () => {
    const { bench, dialled, requests, lose } = auto();
    bench.client.top(week);
    await bench.welcome();
    dialled.push("ws");
    await bench.time.pass(11_000);
    for (let i = 0; i < 4; i++) await lose();
    assert.deepEqual(dialled, ["ws", "ws", "sse", "ws", "sse"]);
    await requests.at(-1)!.accept();
    await bench.time.pass(11_000);
    await lose();
    assert.equal(dialled.at(-1), "ws");
  });

  test("only what is asked for is tried, and something has to be there", async () => {
    const options = { url: "https://laurel.test", token: "t", environment: new FakeTime() };
    assert.equal(new Laurel({ ...options, transport: "sse", fetch: never }).state, "idle");
    const bench = new Bench({ transport: "websocket", fetch: () => assert.fail("no stream was asked for") });
    bench.client.top(week);
    await settle();
    for (let i = 0; i < 4; i++) {
      bench.socket.end(1006);
      await bench.time.pass(8_000);
    }
    assert.equal(bench.sockets.length, 5);
    const url = new Bench({ url: "wss://laurel.test/x/v1/ws", transport: "auto", fetch: never });
    url.client.top(week);
    await settle();
    assert.equal(url.socket.url, "wss://laurel.test/x/v1/ws");
  });
});

test("a server that is cut off from its store says so, and when it is over", async () => {
  const bench = new Bench();
  const view = bench.client.top(week);
  const seen: string[] = [];
  view.on("state", (status) => seen.push(status));
  view.on("stale", ({ as_of }) => seen.push(`stale ${as_of}, ${view.staleSince}`));
  view.on("fresh", () => seen.push(`fresh ${view.staleSince}`));
  let socket = await bench.welcome();
  socket.say(snapshot("1", 1, []));
  socket.say({ type: "stale", id: "1", as_of: "t1" }, { type: "stale", id: "1", as_of: "t2" });
  socket.say(delta("1", 1, 2, [row(1, "a", 5)]), snapshot("1", 3, [row(1, "b", 5)]));
  assert.deepEqual([view.status, users(view)], ["stale", "b"]);
  socket.say({ type: "fresh", id: "1" });
  assert.deepEqual(seen.splice(0), ["live", "stale", "stale t1, t1", "stale t2, t2", "live", "fresh undefined"]);
  socket.say({ type: "stale", id: "1", as_of: "t3" });
  socket.end(1006);
  assert.deepEqual([view.status, view.staleSince], ["stale", undefined]);
  await bench.time.pass(1_000);
  socket = await bench.welcome();
  socket.say({ type: "resumed", id: "2", seq: 3 });
  assert.equal(view.status, "live", "what a connection said is over with it");
});
