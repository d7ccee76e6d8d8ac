// A whole server, as anybody starts it, and a way between it and clients that can be cut.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const key = "sk_test_0123456789";

const program = process.env["LAUREL_BIN"] ?? fileURLToPath(new URL("../../../../bin/laurel", import.meta.url));
const startMs = 120_000;

export class LaurelNode {
  readonly #dir = mkdtempSync(join(tmpdir(), "laurel-client-"));
  #process: ChildProcess | undefined;
  #listen = "127.0.0.1:0";
  #admin = "127.0.0.1:0";

  /** `flags` go before its own; with `--redis` there is no data directory. */
  constructor(catalog: string, readonly flags: readonly string[] = []) {
    writeFileSync(join(this.#dir, "catalog.yaml"), catalog);
  }

  get port(): number {
    return Number(this.#listen.split(":")[1]);
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  /** Starts it, the first time on free ports and then on the same ones. */
  async start(): Promise<void> {
    const store = this.flags.includes("--redis") ? [] : ["--data-dir", join(this.#dir, "data"), "--fsync", "no"];
    const flags = [...this.flags, "--listen", this.#listen, "--admin-listen", this.#admin, ...store, "--test-clock"];
    const own = ["--catalog", join(this.#dir, "catalog.yaml"), "--bootstrap-key", key, "--log-format", "json", "--drain", "1s"];
    const child = spawn(program, ["serve", ...flags, ...own], { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      const log: string[] = [];
      const patience = setTimeout(() => reject(new Error(`the server did not come up:\n${log.join("\n")}`)), startMs);
      child.on("error", (err) => reject(new Error(`${program} cannot be started; make build makes it`, { cause: err })));
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${log.join("\n")}`)));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        log.push(line);
        const { message, listen, admin } = JSON.parse(line) as Record<string, string>;
        if (message !== "laurel is up" || !listen || !admin) return;
        clearTimeout(patience);
        [this.#listen, this.#admin] = [listen, admin];
        resolve();
      });
    });
    while (!(await this.#ready())) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** A server that is up may still be reading its definitions and keys, and says 503 for so long. */
  async #ready(): Promise<boolean> {
    const answer = await fetch(`http://${this.#admin}/readyz`);
    await answer.text();
    return answer.ok;
  }

  /** Stops it as an operator does: it drains its clients. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async call(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<any> {
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...more };
    const answer = await fetch(this.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async setClock(now: string | null): Promise<void> {
    const answer = await fetch(`http://${this.#admin}/clock`, { method: "PUT", body: JSON.stringify({ now }) });
    assert.equal(answer.status, 204, await answer.text());
  }
}

/** Passes on what comes to its port, until it is cut. */
export class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(node: LaurelNode) {
    this.#server = createServer((near) => {
      const far = connect({ host: "127.0.0.1", port: node.port });
      for (const [from, to] of [[near, far], [far, near]] as const) {
        this.#sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections in the middle of whatever they are at. It returns how many there were. */
  cut(): number {
    const n = this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return n;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
