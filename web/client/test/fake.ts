// Surroundings that a test controls: time, chance, the page, and the sockets that a client makes.
import { Laurel, type LaurelOptions } from "../src/index.js";
import type { Environment, PageEvent } from "../src/environment.js";

/** Lets everything that waits for promises go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes when it is told to. */
export class FakeTime implements Environment {
  #now = Date.parse("2026-11-22T12:00:00Z");
  #timers: { at: number; callback: () => void }[] = [];
  readonly page: FakePage | undefined;
  chance = 0.5;

  constructor(page?: FakePage) {
    this.page = page;
  }

  now = (): number => this.#now;
  random = (): number => this.chance;

  timer = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((t) => t !== timer));
  };

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((t) => t !== due);
      due.callback();
    }
    this.#now = end;
  }

  get timers(): number {
    return this.#timers.length;
  }
}

export class FakePage {
  #hidden = false;
  readonly listeners = new Map<PageEvent, Set<() => void>>();

  hidden = (): boolean => this.#hidden;

  on = (event: PageEvent, listener: () => void): (() => void) => {
    const list = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, list.add(listener));
    return () => void list.delete(listener);
  };

  tell(event: PageEvent): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener();
  }

  set visible(visible: boolean) {
    this.#hidden = !visible;
    this.tell("visibilitychange");
  }
}

type Message = { readonly type: string; readonly [member: string]: any };

/** The client's end of a connection; the test is the server. */
export class FakeSocket {
  onopen: ((event: any) => any) | null = null;
  onmessage: ((event: any) => any) | null = null;
  onclose: ((event: any) => any) | null = null;
  onerror: ((event: any) => any) | null = null;
  readonly sent: Message[] = [];
  closedWith: number | undefined;

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number): void {
    this.closedWith = code;
  }

  open(): void {
    this.onopen?.({});
  }

  say(...messages: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(messages.length === 1 ? messages[0] : messages) });
  }

  end(code: number, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  /** The messages of a type that the client has sent. */
  of(type: string): Message[] {
    return this.sent.filter((m) => m.type === type);
  }
}

/** A client, its time, and the sockets it has made. */
export class Bench {
  readonly sockets: FakeSocket[] = [];
  readonly time: FakeTime;
  readonly client: Laurel;
  readonly errors: string[] = [];
  readonly states: string[] = [];

  constructor(options: Partial<LaurelOptions> = {}, page?: FakePage) {
    const { sockets } = this;
    this.time = new FakeTime(page);
    const WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
    this.client = new Laurel({ url: "https://laurel.test", token: "secret", transport: "websocket", WebSocket, environment: this.time, ...options });
    this.client.on("error", (error) => this.errors.push(error.code + (error.final ? "!" : "")));
    this.client.on("state", (state) => this.states.push(state));
  }

  /** The latest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no connection was made");
    return socket;
  }

  /** Lets the client connect, and welcomes it. */
  async welcome(limits = {}): Promise<FakeSocket> {
    await settle();
    this.socket.open();
    this.socket.say(welcome({ limits }));
    return this.socket;
  }
}

/** A welcome of a server whose clock is wrong by years. */
export function welcome(members: { limits?: object; expires_in?: number }) {
  const now = Date.parse("2020-01-01T00:00:00Z");
  const ends = members.expires_in === undefined ? {} : { expires_at: new Date(now + members.expires_in * 1000).toISOString() };
  return { type: "welcome", session: "s", tick_ms: 100, server_time: new Date(now).toISOString(), limits: members.limits ?? {}, ...ends };
}

export function row(rank: number, user: string, score: number, reached = "2026-11-22T10:00:00.000Z") {
  return { rank, user, score, reached_at: reached };
}

export function snapshot(id: string, seq: number, rows: unknown[], epoch = "e") {
  return { type: "snapshot", id, epoch, seq, as_of: "2026-11-22T12:00:00.000Z", period: { label: "2026-W47", closed: false }, total: rows.length, rows };
}

export function delta(id: string, prev: number, seq: number, upsert: unknown[], remove: string[] = [], total = 9) {
  return { type: "delta", id, prev, seq, as_of: "2026-11-22T12:00:01.000Z", total, upsert, remove };
}
