// A server with people on it, and a browser that looks at it.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { LaurelNode, key } from "../client/test/node.js";

export { key };

const catalog = `
orgs:
  - id: shop
    timezone: UTC
    behaviours:
      - {name: buy}
    rules:
      - {id: points, when: {name: buy}, value: {sum: value}, cycles: [day, week, month, all], ties: standard}
      - {id: visits, when: {name: buy}, value: count, cycles: [day, all], segment_by: user.country}
    streaks:
      - {id: daily, when: {name: buy}, unit: day, freezes: {initial: 1, max: 2}}
  - id: annex
    rules:
      - {id: steps, when: {name: walk}, value: {sum: value}, cycles: [day, all]}
`;

/** Names that do harm where they become markup. */
export const hostile = [`<img src=x onerror="window.harmed=1">`, `</script><script>window.harmed=1</script>`, `"><svg onload=window.harmed=1>`, `{{7*7}}\${7*7}`, `\u202Eabc\u2066`];

const patienceMs = 30_000;

/** A redis-server of its own, on a socket in a directory of its own. */
class Redis {
  readonly #dir = mkdtempSync(join(tmpdir(), "laurel-web-redis-"));
  readonly socket = join(this.#dir, "redis.sock");
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const flags = ["--port", "0", "--unixsocket", this.socket, "--dir", this.#dir, "--save", "", "--appendonly", "no"];
    const child = (this.#process = spawn("redis-server", flags, { stdio: ["ignore", "ignore", "inherit"] }));
    await once(child, "spawn");
    await until(() => existsSync(this.socket), "redis-server");
  }

  async remove(): Promise<void> {
    const child = this.#process;
    if (child && child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Everything that a test needs: `await using` is for newer Nodes, so call `close`. */
export class World {
  readonly #redis = new Redis();
  readonly node: LaurelNode;
  readonly #sites: Server[] = [];
  #browser: Browser | undefined;
  #written = 0;

  /** Of the orgs of a catalog; one of them is `shop`. */
  constructor(orgs = catalog) {
    this.node = new LaurelNode(orgs, ["--redis", `unix://${this.#redis.socket}`]);
  }

  async open(): Promise<void> {
    await this.#redis.start();
    await this.node.start();
    const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
    assert.ok(executablePath, "chromium is missing: apt-get install chromium");
    this.#browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    for (const site of this.#sites) {
      site.closeAllConnections();
      site.close();
    }
    await this.node.remove();
    await this.#redis.remove();
  }

  /** A page of a context of its own, which fails the test where it throws or its policy is broken. */
  async page(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const context = await this.#browser!.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "UTC", ...options });
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (err) => faults.push(err.message));
    page.on("console", (message) => {
      if (message.type() === "error" && /policy|trusted/i.test(message.text())) faults.push(message.text());
    });
    return { page, faults };
  }

  /** A page of somebody who has signed in with the secret key. */
  async signedIn(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
    const { page, faults } = await this.page(options);
    await page.addInitScript(`sessionStorage.setItem("laurel.key", ${JSON.stringify(key)}); sessionStorage.setItem("laurel.org", "shop")`);
    return { page, faults };
  }

  /** Serves pages from an origin that is not the server's. */
  async site(pages: Record<string, () => { body: string | Promise<string>; type?: string; policy?: string }>): Promise<string> {
    const server = createServer((request, answer) => {
      const found = pages[new URL(request.url!, "http://x").pathname];
      if (!found) return void answer.writeHead(404).end();
      const { body, type = "text/html; charset=utf-8", policy } = found();
      void Promise.resolve(body).then((text) => answer.writeHead(200, { "Content-Type": type, ...(policy ? { "Content-Security-Policy": policy } : {}) }).end(text));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#sites.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** What users did: [user, value, days ago]. */
  async did(list: readonly (readonly [user: string, value: number, daysAgo?: number])[]): Promise<void> {
    const now = Date.now();
    const items = list.map(([user, value, daysAgo]) => ({ id: `a${this.#written++}`, user, name: "buy", value, ...(daysAgo ? { at: new Date(now - daysAgo * 86_400_000).toISOString() } : {}) }));
    for (let i = 0; i < items.length; i += 2_000) {
      const { rejected } = await this.call("POST", "/v1/activities", items.slice(i, i + 2_000));
      assert.equal(rejected, 0);
    }
  }

  async call(method: string, path: string, body?: unknown): Promise<any> {
    return this.node.call(method, path, body, { "Laurel-Org": "shop" });
  }

  async publicKey(...origins: string[]): Promise<string> {
    return (await this.call("POST", "/v1/keys", { name: "page", kind: "pk", scopes: ["boards:read"], origins })).key as string;
  }

  async token(user: string): Promise<string> {
    return (await this.call("POST", "/v1/tokens", { user })).token as string;
  }
}

/** Looks again until it holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what}: waited in vain`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** People with a history of a month, some of them with profiles. */
export async function populate(world: World, people: number): Promise<void> {
  const first = ["Ada", "Bruno", "Chiara", "Dmitri", "Emeka", "Farah", "Goran", "Hana", "Ines", "Jun", "Kwame", "Lena", "Mira", "Noor", "Oskar", "Priya"];
  const last = ["Almeida", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Gruber", "Haddad", "Ivanova", "Jensen", "Kimura", "Larsen", "Moreau", "Novak"];
  const random = generator(7);
  const list: [string, number, number][] = [];
  for (let i = 0; i < people; i++) {
    const user = `u${String(i).padStart(4, "0")}`;
    list.push([user, 1 + Math.floor(random() * 900), 0]);
    for (let day = 1; day <= (i < 40 ? 30 : 2); day++) if (random() < 0.8) list.push([user, 1 + Math.floor(random() * 300), day]);
  }
  await world.did(list);
  for (let i = 0; i < Math.min(people, 60); i++) {
    const name = `${first[i % first.length]} ${last[(i * 5) % last.length]}`;
    await world.call("PATCH", `/v1/users/u${String(i).padStart(4, "0")}`, { name, email: `u${i}@shop.example` });
  }
}

/** The same numbers each time. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
