import { backoff } from "./backoff.js";
import type { Environment, SocketLike } from "./environment.js";
import { LaurelError } from "./errors.js";
import { Outbox } from "./outbox.js";
import { renewIn } from "./renewal.js";
import type { Transport, TransportName } from "./transport.js";
import { defaultLimits, type ClientMessage, type Limits, type ServerMessage, type ViewMessage } from "./wire.js";

/**
 * `idle`: nothing to watch. `connecting`. `open`: the server has welcomed the client. `waiting`: for the next attempt. `paused`: the page has been
 * hidden for long. `closed`: for good, by `close` or by an error.
 */
export type ConnectionState = "idle" | "connecting" | "open" | "waiting" | "paused" | "closed";

/** What a connection is made of. */
export interface ConnectionOptions {
  /** At least one, the best first. */
  readonly transports: readonly Transport[];
  readonly org: string | undefined;
  readonly token: string | (() => string | Promise<string>);
  readonly connectTimeoutMs: number;
  readonly environment: Environment;
}

/** Who is told what a connection goes through. */
export interface Owner {
  /** Commands are taken: subscribe to everything. */
  opened(): void;
  /** A message of a subscription, or an error that names one. */
  received(message: ViewMessage | Extract<ServerMessage, { type: "error" }>): void;
  changed(state: ConnectionState): void;
  /** Something went wrong; if `error.final`, the connection has ended for good. */
  failed(error: LaurelError): void;
}

const stableMs = 10_000; // a connection that held for so long was no failure
const stubbornness = 2; // failures in a row, a loss among them, before another transport is tried
const probeMs = 5_000;
const quietMs = 1_000; // what spoke within this time needs no probe

const closeNormal = 1000;
const closeGap = 4003;
const closeNoPong = 4004; // of the codes that clients may send the one that says it: nothing came

/**
 * One connection at a time, made again and again until it is stopped or the server says not to. Each attempt has a number; what still comes of an earlier
 * one (a token, a close event that took its time) is not looked at.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #environment: Environment;
  readonly #owner: Owner;
  #state: ConnectionState = "idle";
  #attempt = 0;
  #failures = 0;
  #socket: SocketLike | undefined;
  #ready = false; // commands are taken
  #current = 0; // of the transports
  #proven: number | undefined; // the best of those that ever got through
  #outbox: Outbox | undefined;
  #limits: Limits = defaultLimits;
  #heard = 0;
  #drainMs: number | undefined;
  #refusal: string | undefined;
  #token = ""; // that was sent last
  #tokenEnds: number | undefined;
  readonly #timers = new Map<"attempt" | "alive" | "probe" | "stable" | "renew", () => void>();

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#options = options;
    this.#environment = options.environment;
    this.#owner = owner;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether commands are taken: not before the server has welcomed the client, unless the transport is eager. */
  get ready(): boolean {
    return this.#ready;
  }

  /** What the connection goes by; undefined while it is not open. */
  get transport(): TransportName | undefined {
    return this.#state === "open" ? this.#options.transports[this.#current]!.name : undefined;
  }

  /** Connects, if there is no connection and none under way. */
  start(): void {
    if (this.#state === "idle") void this.#connect();
  }

  /** Ends the connection; `start` (or, of a paused one, `wake`) makes another. */
  stop(state: "idle" | "paused" | "closed"): void {
    if (this.#state === "closed") return;
    this.#drop(closeNormal);
    this.#become(state);
  }

  /** Sends a command of a subscription; false: it is longer than the server takes. Without a connection it does nothing: all is subscribed anew. */
  send(message: Extract<ClientMessage, { id: string }>): boolean {
    return !this.#ready || this.#outbox === undefined || this.#outbox.add(message);
  }

  /** What came does not fit what is held: begin anew. */
  gap(): void {
    if (this.#state === "open") this.#retry(closeGap);
  }

  /** The page, or the network, is back: connect at once, or find out whether the connection is still one. A drain is still waited for. */
  wake(): void {
    if (this.#state === "paused" || (this.#state === "waiting" && this.#drainMs === undefined)) {
      void this.#connect();
    } else if (this.#state === "open" && this.#environment.now() - this.#heard > quietMs) {
      this.#probe();
    }
  }

  // Taking back a subscription that nobody has is the cheapest question that is always answered.
  #probe(): void {
    const asked = this.#environment.now();
    this.#outbox?.now({ type: "unsubscribe", id: "probe" });
    this.#after("probe", probeMs, () => {
      if (this.#heard >= asked) return;
      this.#drop(closeNoPong);
      void this.#connect();
    });
  }

  async #connect(): Promise<void> {
    this.#drop(closeNormal);
    const attempt = this.#attempt;
    this.#become("connecting");
    if (attempt !== this.#attempt) return; // a listener has closed it
    this.#after("attempt", this.#options.connectTimeoutMs, () => this.#retry(closeNormal));
    const token = await this.#fetchToken(attempt);
    if (token === undefined || attempt !== this.#attempt) {
      if (attempt === this.#attempt) this.#retry(closeNormal);
      return;
    }
    try {
      this.#open(token, this.#choose().dial());
    } catch (err) {
      this.#fail(new LaurelError("connect", String(err), true, { cause: err }));
    }
  }

  // What got through before goes first. After some failures it takes turns with the others: it may be blocked here, or the server may be down.
  #choose(): Transport {
    const { transports } = this.#options;
    const other = this.#failures >= stubbornness && this.#failures % 2 === 0 ? 1 : 0;
    this.#current = ((this.#proven ?? 0) + other) % transports.length;
    return transports[this.#current]!;
  }

  // Returns undefined, and tells the owner, where the callback fails.
  async #fetchToken(attempt: number): Promise<string | undefined> {
    const { token } = this.#options;
    try {
      return typeof token === "string" ? token : await token();
    } catch (err) {
      if (attempt === this.#attempt) this.#owner.failed(new LaurelError("token", String(err), false, { cause: err }));
      return undefined;
    }
  }

  #open(token: string, socket: SocketLike): void {
    this.#socket = socket;
    this.#token = token;
    const outbox = new Outbox(this.#environment, (text) => socket.send(text));
    this.#outbox = outbox;
    const own = (handler: (event: any) => void) => (event: unknown) => {
      if (this.#socket === socket) handler(event);
    };
    socket.onopen = own(() => {
      outbox.now(this.#hello(token));
      this.#ready = socket.eager === true;
      if (this.#ready) this.#owner.opened();
    });
    socket.onmessage = own((event) => this.#message(event.data));
    socket.onclose = own((event) => this.#closed(event.code, event.reason));
    socket.onerror = () => {}; // a close event follows; the package ws throws what nobody listens to
  }

  #hello(token: string): ClientMessage {
    const { org } = this.#options;
    return { type: "hello", token, ...(org === undefined ? {} : { org }) };
  }

  #message(data: unknown): void {
    this.#heard = this.#environment.now();
    const socket = this.#socket;
    try {
      const messages: unknown = typeof data === "string" ? JSON.parse(data) : data;
      for (const message of (Array.isArray(messages) ? messages : [messages]) as ServerMessage[]) {
        this.#one(message);
        if (this.#socket !== socket) return; // a listener has closed, or a delta did not fit
      }
    } catch {
      this.#retry(closeGap); // no message of this protocol: nothing can be made of what follows it
    }
  }

  #one(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "ping":
        return this.#outbox?.now({ type: "pong" });
      case "drain":
        this.#drainMs = message.reconnect_in_ms;
        return;
      case "error":
        if (message.id === "probe") return;
        if (message.id !== undefined) return this.#owner.received(message);
        this.#refusal = message.detail;
        // Before the welcome it is why the server closes now, and is told then.
        if (this.#state === "open") this.#owner.failed(new LaurelError(message.code, message.detail, false));
        return;
      case "snapshot":
      case "resumed":
      case "delta":
      case "period":
      case "event":
      case "stale":
      case "fresh":
        return this.#owner.received(message);
    }
  }

  #welcome({ limits, server_time, expires_at }: Extract<ServerMessage, { type: "welcome" }>): void {
    this.#limits = { ...defaultLimits, ...limits };
    if (this.#outbox) this.#outbox.limits = this.#limits;
    // By the server's clock, whatever ours says.
    this.#tokenEnds = expires_at === undefined ? undefined : this.#environment.now() + Date.parse(expires_at) - Date.parse(server_time);
    this.#renewLater();
    if (this.#state === "open") return; // it answers another token
    this.#proven = Math.min(this.#current, this.#proven ?? this.#current);
    this.#cancel("attempt");
    this.#after("stable", stableMs, () => (this.#failures = 0));
    this.#watch();
    const asked = this.#ready;
    this.#ready = true;
    this.#become("open");
    if (this.state === "open" && !asked) this.#owner.opened(); // a listener may have closed it
  }

  // The server pings; where nothing comes for longer than that, nothing will.
  #watch(): void {
    const patience = this.#limits.ping_ms + this.#limits.pong_ms;
    const left = this.#heard + patience - this.#environment.now();
    this.#after("alive", Math.max(1, left), () => {
      if (this.#environment.now() - this.#heard >= patience) this.#retry(closeNoPong);
      else this.#watch();
    });
  }

  // A token that ends, and can be had anew, is followed by the next one while the connection goes on.
  #renewLater(): void {
    this.#cancel("renew");
    if (this.#tokenEnds === undefined || typeof this.#options.token === "string") return;
    const wait = renewIn(this.#tokenEnds - this.#environment.now());
    if (wait !== undefined) this.#after("renew", wait, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const attempt = this.#attempt;
    const token = await this.#fetchToken(attempt);
    if (attempt !== this.#attempt) return;
    if (token !== undefined && token !== this.#token) {
      this.#token = token;
      this.#outbox?.now({ type: "token", token });
    }
    this.#renewLater(); // again before the end, unless the welcome that answers names another
  }

  #closed(code: number, reason: string): void {
    if (code < 4500 || code > 4999) return this.#retry(closeNormal);
    this.#fail(new LaurelError(reason || String(code), this.#refusal ?? `the server closed with ${code}`, true));
  }

  #fail(error: LaurelError): void {
    this.stop("closed");
    this.#owner.failed(error);
  }

  // Drops what there is of a connection, and waits before the next attempt.
  #retry(code: number): void {
    this.#drop(code);
    const wait = this.#drainMs ?? backoff(this.#failures, this.#environment.random);
    this.#failures++;
    this.#after("attempt", wait, () => void this.#connect());
    this.#become("waiting");
  }

  // A socket whose other end is gone may take minutes to close: it is left to itself.
  #drop(code: number): void {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#ready = false;
    this.#outbox?.close();
    this.#outbox = undefined;
    this.#refusal = undefined;
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    socket?.close(code);
  }

  #become(state: ConnectionState): void {
    if (state !== "waiting") this.#drainMs = undefined;
    if (this.#state === state) return;
    this.#state = state;
    this.#owner.changed(state);
  }

  #after(name: "attempt" | "alive" | "probe" | "stable" | "renew", ms: number, callback: () => void): void {
    this.#cancel(name);
    this.#timers.set(
      name,
      this.#environment.timer(ms, () => {
        this.#timers.delete(name);
        callback();
      }),
    );
  }

  #cancel(name: "attempt" | "alive" | "probe" | "stable" | "renew"): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
