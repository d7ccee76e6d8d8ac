// What a client shows by each of the transports is what reads of a real server answer.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Laurel, compareRows, type BoardState, type LaurelError, type TransportName, type UserState, type View } from "../src/index.js";
import { LaurelNode, Way, key } from "./node.js";
import { Random } from "./random.js";
import { WebSocket } from "./websocket.js";

const catalog = `
orgs:
  - id: shop
    rules:
      - {id: points, when: {name: buy}, value: {sum: value}, cycles: [day, all], ties: standard, segment_by: user.country}
      - {id: best, when: {name: buy}, value: {min: value}, order: asc, cycles: [all], ties: dense}
      - {id: visits, when: {name: buy}, value: count, cycles: [all]}
    streaks:
      - {id: daily, when: {name: buy}, unit: day}
`;

// Ids that sort otherwise as UTF-16 than as UTF-8.
const users = ["ada", "bob", "cy", "é", "\uE000", "\u{1F600}", "eve", "fay", "gus", "hal", "عمر", "ivy"];
const patienceMs = 120_000;

/** A view and how REST is asked for the same. */
interface Pair {
  readonly name: string;
  readonly view: View<BoardState> | View<UserState>;
  read(): Promise<unknown>;
}

const node = new LaurelNode(catalog);
const way = new Way(node);
const random = new Random((Math.random() * 2 ** 31) | 0);
let client: Laurel;
let failures: LaurelError[];
let written = 0;

/** What of a state REST answers too. */
function shown(state: BoardState | UserState | undefined): unknown {
  if (state === undefined) return undefined;
  return "user" in state ? state.user : { rows: state.rows, total: state.total, label: state.period.label };
}

function pairs(): Pair[] {
  const board = (rule: string, period: string, query: string) => async () => {
    const b = await node.call("GET", `/v1/leaderboards/${rule}/${period}?${query}`);
    return { rows: b.rows, total: b.total, label: b.period.label };
  };
  const someone = { rule: "points", period: "all" };
  const top = (rule: string, limit: number): Pair => {
    const view = client.top({ rule, period: "all", limit });
    return { name: `${rule}, the first ${limit}`, view, read: board(rule, "all", `limit=${limit}`) };
  };
  return [
    top("points", 3),
    top("points", 50),
    top("best", 4),
    top("visits", 5),
    {
      name: "a page further down",
      view: client.range({ ...someone, from: 3, to: 6 }),
      read: board("points", "all", "limit=4&offset=2"),
    },
    {
      name: "a segment with profiles",
      view: client.top({ rule: "points", period: "day", limit: 4, segment: "AT", fields: ["profile"] }),
      read: board("points", "day", "limit=4&segment=AT&fields=profile"),
    },
    {
      name: "two around, seldom",
      view: client.around({ ...someone, user: "ada", span: 2 }, { max_hz: 4 }),
      read: async () => {
        const r = await node.call("GET", "/v1/leaderboards/points/all/users/ada?around=2");
        return { rows: r.around, total: r.total, label: "all" };
      },
    },
    {
      name: "some users",
      view: client.users({ ...someone, users: ["\u{1F600}", "\uE000", "bob", "nobody"] }),
      read: async () => {
        const r = await node.call("POST", "/v1/leaderboards/points/all/ranks", { users: ["\u{1F600}", "\uE000", "bob", "nobody"] });
        return { rows: r.rows, total: r.total, label: "all" };
      },
    },
    { name: "a user", view: client.user("ada"), read: () => node.call("GET", "/v1/users/ada") },
  ];
}

/** Looks at every state that a view goes through: none is a mixture. */
function supervise({ name, view }: Pair): void {
  (view as View<BoardState | UserState>).on("change", (state) => {
    if (!("rows" in state)) return;
    assert.deepEqual(state.rows, [...state.rows].sort(compareRows), `${name}: the order`);
    assert.equal(new Set(state.rows.map((row) => row.user)).size, state.rows.length, `${name}: each user once`);
    if (view.query.kind === "top") assert.equal(state.rows.length, Math.min(view.query.limit, state.total), `${name}: how many`);
  });
}

async function write(n: number): Promise<void> {
  const activities = Array.from({ length: n }, () => ({ id: `a${written++}`, user: random.of(users), name: "buy", value: 1 + random.below(4) }));
  await node.call("POST", "/v1/activities", activities);
  if (random.below(3) === 0) {
    await node.call("PATCH", `/v1/users/${encodeURIComponent(random.of(users))}`, { name: `n${written}`, attributes: { country: random.of(["AT", "DE"]) } });
  }
  if (random.below(3) === 0) {
    const { user, id } = random.of(activities);
    await node.call("POST", `/v1/activities/${encodeURIComponent(user)}/${id}/reject`, { reason: "by mistake" });
  }
}

/** Waits until the view shows what is wanted, or fails with the difference. */
async function comesTo(view: View<any>, want: unknown, name: string): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!isDeepStrictEqual(shown(view.state), want) && Date.now() < end) await change(view, 200);
  assert.deepEqual(shown(view.state), want, `${name}, seed ${random.seed}`);
  await becomes(view, "live", name);
}

/** Waits until the view has the status. */
async function becomes(view: View<any>, status: string, name: string): Promise<void> {
  const end = Date.now() + patienceMs;
  while (view.status !== status && Date.now() < end) await change(view, 200);
  assert.equal(view.status, status, name);
}

/** Waits for something to happen, at most for so long. */
function change(view: View<any>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const off of offs) off();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const offs = [view.on("change", done), view.on("state", done)];
  });
}

async function liveEqualsRead(all: Pair[]): Promise<void> {
  for (const { name, view, read } of all) await comesTo(view, await read(), name);
}

export function testWithServer(transport: TransportName): void {
  describe(`with a server, by ${transport}`, () => {
    before(async () => {
      await node.start();
      await way.open();
      for (const user of users) await node.call("PUT", `/v1/users/${encodeURIComponent(user)}`, { name: user, attributes: { country: "AT" } });
      await node.call("POST", "/v1/activities", { id: "stays", user: "ada", name: "buy", value: 1 }); // she is ranked throughout
    });
    after(async () => {
      await way.close();
      await node.remove();
    });
    beforeEach(() => {
      failures = [];
      client = new Laurel({ url: way.url, token: async () => key, transport, WebSocket });
      client.on("error", (err) => failures.push(err));
    });
    afterEach(() => {
      client.close();
      assert.deepEqual(failures, []);
    });

    test("views equal reads after random writes", async () => {
      const all = pairs();
      all.forEach(supervise);
      let deltas = 0;
      all[1]!.view.on("delta", () => deltas++); // everybody is in it, so every round changes it
      await write(5);
      await liveEqualsRead(all);
      for (let i = 0; i < 6; i++) {
        for (let j = 0; j < 8; j++) await write(1 + random.below(6));
        await liveEqualsRead(all);
      }
      assert.ok(deltas > 5, `${deltas} deltas`);
    });

    test("views equal reads when connections are cut again and again", async () => {
      const all = pairs();
      all.forEach(supervise);
      await liveEqualsRead(all);
      let cut = 0;
      for (let i = 0; i < 8; i++) {
        await write(3);
        cut += way.cut();
        await write(3);
        if (i % 4 === 3) await becomes(all[0]!.view, "live", "after some cuts"); // however long the machine takes
        else await change(all[1]!.view, 30 * random.below(6));
      }
      assert.ok(cut >= 2, `${cut} connections were cut`);
      await liveEqualsRead(all);
    });

    test("what did not change while the connection was cut is not sent again", async () => {
      const view = client.top({ rule: "points", period: "all", limit: 50 });
      let snapshots = 0;
      view.on("snapshot", () => snapshots++);
      const held = await view.ready();
      for (let i = 0; i < 3; i++) {
        way.cut();
        await change(view, patienceMs);
        assert.equal(view.status, "stale");
        await change(view, patienceMs);
        assert.equal(view.status, "live");
      }
      assert.equal(view.state, held);
      assert.equal(snapshots, 1);
    });

    test("views equal reads after restarts of the server", async () => {
      const all = pairs();
      all.forEach(supervise);
      const states: string[] = [];
      client.on("state", (state) => states.push(state));
      await liveEqualsRead(all);
      for (let i = 0; i < 2; i++) {
        await write(4);
        await node.stop();
        await becomes(all[0]!.view, "stale", "without a server");
        assert.ok(states.includes("waiting"));
        await node.start();
        await write(4);
        await liveEqualsRead(all);
      }
    });

    test("an event follows what a user did", async () => {
      const view = client.user("somebody new");
      await assert.rejects(view.ready(), { code: "user_not_found" });
      await node.call("PUT", "/v1/users/somebody%20new", { name: "S" });
      const again = client.user("somebody new");
      await again.ready();
      const event = new Promise<string>((resolve) => again.on("event", (e) => resolve(e.type)));
      await node.call("POST", "/v1/activities", { id: "new", user: "somebody new", name: "buy", value: 1 });
      assert.match(await event, /^streak\./);
      await comesTo(again, await node.call("GET", "/v1/users/somebody%20new"), "the user");
    });

    test("errors: a board that is not there, a token that is not valid", async () => {
      await assert.rejects(client.top({ rule: "nothing", period: "all" }).ready(), { code: "rule_not_found", final: true });
      const stranger = new Laurel({ url: way.url, token: "sk_wrong", transport, WebSocket });
      await assert.rejects(stranger.top({ rule: "points", period: "all" }).ready(), { code: "unauthorized", final: true });
      assert.equal(stranger.state, "closed");
    });

    test("a signed token is followed by the next, which a WebSocket takes without an end", async () => {
      let tokens = 0;
      const token = async () => {
        tokens++;
        return (await node.call("POST", "/v1/tokens", { user: "ada", expires_in: 8 })).token as string;
      };
      const page = new Laurel({ url: way.url, token, transport, WebSocket });
      const states: string[] = [];
      page.on("state", (state) => states.push(state));
      page.on("error", (err) => failures.push(err));
      const view = page.user("ada");
      await view.ready();
      await assert.rejects(page.user("bob").ready(), { code: "forbidden" });
      const end = Date.now() + patienceMs;
      const enough = transport === "sse" ? 2 : 3;
      while (tokens < enough && Date.now() < end) await change(view, 100); // as long as the first one was good for
      assert.ok(tokens >= enough, `${tokens} tokens`);
      await write(3);
      await comesTo(view, await node.call("GET", "/v1/users/ada"), "ada");
      const once = ["connecting", "open"];
      assert.deepEqual(states.slice(0, 5), transport === "sse" ? [...once, "waiting", ...once] : once);
      assert.equal(page.transport, transport);
      page.close();
    });

    test("a view of a cycle rolls over, also while there is no connection", async () => {
      await node.setClock("2030-03-01T23:50:00Z");
      const today = client.top({ rule: "points", period: "day", limit: 10 });
      const read = async () => {
        const b = await node.call("GET", "/v1/leaderboards/points/day?limit=10");
        return { rows: b.rows, total: b.total, label: b.period.label };
      };
      const rollovers: string[] = [];
      today.on("period", ({ ended, started }) => rollovers.push(`${ended.label} ${started.label}`));
      await write(6);
      await comesTo(today, await read(), "before");
      assert.equal(today.state?.period.label, "2030-03-01");
      await node.setClock("2030-03-02T00:10:00Z");
      await comesTo(today, { rows: [], total: 0, label: "2030-03-02" }, "a new day");
      assert.deepEqual(rollovers, ["2030-03-01 2030-03-02"]);
      await write(6);
      await comesTo(today, await read(), "after");
      way.cut();
      await node.setClock("2030-03-03T00:10:00Z");
      await write(6);
      await comesTo(today, await read(), "the day after");
      assert.equal(today.state?.period.label, "2030-03-03");
    });
  });
}
