import { backoff } from "./backoff.js";
import { Connection, type ConnectionState } from "./connection.js";
import { Emitter } from "./emitter.js";
import { surroundings, type Environment, type Fetch, type WebSocketConstructor } from "./environment.js";
import { LaurelError } from "./errors.js";
import { followPage } from "./presence.js";
import { transportsOf, type TransportName } from "./transport.js";
import { View } from "./view.js";
import type { Board, BoardState, ServerMessage, UserState, ViewMessage, ViewQuery } from "./wire.js";

export interface LaurelOptions {
  /** The server, such as `https://laurel.example`, in a page also `/`: that of the page. What stands behind it is up to the client. */
  readonly url: string;
  /**
   * A key, or a signed token; or what fetches one. It is called at each connection, and a minute before the token ends that the connection goes by.
   * If it fails, the client waits and tries again.
   */
  readonly token: string | (() => string | Promise<string>);
  /** Needed only with a key for several orgs. */
  readonly org?: string;
  /**
   * What the messages come by. `websocket`: one connection for all views. `sse`: Server-Sent Events, a request for each view. `auto`, the default: a
   * WebSocket where there is one, and Server-Sent Events where it does not get through.
   */
  readonly transport?: TransportName | "auto";
  /** For surroundings that have no global one, such as Node 20. That of the package ws will do. */
  readonly WebSocket?: WebSocketConstructor;
  /** For surroundings that have no global one, or to send requests otherwise. */
  readonly fetch?: Fetch;
  /** How long a page may be hidden before the connection is ended until it is visible again. Default 60,000; Infinity: for ever. */
  readonly pauseHiddenAfterMs?: number;
  /** How long an attempt to connect may take, the token included. Default 15,000. */
  readonly connectTimeoutMs?: number;
  /** @internal */
  readonly environment?: Partial<Environment>;
}

export interface ViewOptions {
  /** At most so many messages a second, at least one an hour. Left out: one each tick of the server, 100 ms, at most. */
  readonly max_hz?: number;
}

/** The events of a client, and what listeners are passed. */
export interface LaurelEvents {
  /** The state of the connection changed. */
  state: ConnectionState;
  /** With `error.final`, the client and all its views have ended. */
  error: LaurelError;
}

const idleMs = 5_000; // a page that swaps one view for another keeps the connection
const defaultLimit = 50; // of the server

/**
 * A client of a Laurel server. It connects when there is a view to watch, once for all views, and makes the connection again whenever it is lost,
 * unless the server says that there is no use.
 */
export class Laurel extends Emitter<LaurelEvents> {
  readonly #connection: Connection;
  readonly #environment: Environment;
  readonly #unfollow: () => void;
  readonly #ids = new Map<View<any>, string>();
  readonly #views = new Map<string, View<any>>(); // by the id of the subscription
  readonly #retries = new Map<View<any>, { failures: number; cancel: () => void }>(); // of views that the server could not tell then
  #lastID = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(options: LaurelOptions) {
    super();
    this.#environment = { ...surroundings(), ...options.environment };
    this.#connection = new Connection(
      {
        transports: transportsOf(options, this.#environment),
        org: options.org,
        token: options.token,
        connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
        environment: this.#environment,
      },
      {
        opened: () => this.#subscribeAll(),
        received: (message) => this.#received(message),
        changed: (state) => this.#changed(state),
        failed: (error) => this.#failed(error),
      },
    );
    const sleeper = { pause: () => this.#pause(), wake: () => this.#connection.wake() };
    this.#unfollow = followPage(this.#environment, sleeper, options.pauseHiddenAfterMs ?? 60_000);
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** What the connection goes by; undefined while it is not open. */
  get transport(): TransportName | undefined {
    return this.#connection.transport;
  }

  /** The first rows of a board: `limit` of them, 1 to 1,000; left out: 50. */
  top(board: Board & { readonly limit?: number }, options?: ViewOptions): View<BoardState> {
    return this.#watch({ kind: "top", ...picked(board), limit: board.limit ?? defaultLimit }, options);
  }

  /** The rows at the places `from` to `to`, both included, at most 1,000. Ties do not share a place, though they may share a rank. */
  range(board: Board & { readonly from: number; readonly to: number }, options?: ViewOptions): View<BoardState> {
    return this.#watch({ kind: "range", ...picked(board), from: board.from, to: board.to }, options);
  }

  /** The row of a user, and up to `span` rows (0 to 100) above and below. There are no rows while the user is not ranked. */
  around(board: Board & { readonly user: string; readonly span: number }, options?: ViewOptions): View<BoardState> {
    return this.#watch({ kind: "around", ...picked(board), user: board.user, span: board.span }, options);
  }

  /** The rows of those of up to 100 users who are ranked. */
  users(board: Board & { readonly users: readonly string[] }, options?: ViewOptions): View<BoardState> {
    return this.#watch({ kind: "users", ...picked(board), users: [...board.users] }, options);
  }

  /** A user, with streaks and ranks, and the user's events. */
  user(user: string, options?: ViewOptions): View<UserState> {
    return this.#watch({ kind: "user", user }, options);
  }

  /** Ends the connection and all views, for good. */
  close(): void {
    this.#end();
    for (const view of [...this.#ids.keys()]) view.close();
  }

  #watch<State extends BoardState | UserState>(query: ViewQuery, options: ViewOptions = {}): View<State> {
    if (this.state === "closed") throw new LaurelError("closed", "the client has ended", true);
    const view = new View<State>({ leave: (v) => this.#leave(v) }, query, options.max_hz);
    this.#ids.set(view, "");
    if (this.#connection.ready) this.#subscribe(view);
    else this.#connection.start();
    return view;
  }

  // An id is used once, so that messages which are still under way for an earlier subscription are told apart.
  #subscribe(view: View<any>): void {
    const id = String(++this.#lastID);
    this.#views.delete(this.#ids.get(view)!);
    this.#ids.set(view, id);
    this.#views.set(id, view);
    const { query, maxHz, since } = view;
    const limits = { ...(maxHz === undefined ? {} : { max_hz: maxHz }), ...(since === undefined ? {} : { since }) };
    if (!this.#connection.send({ type: "subscribe", id, view: query, ...limits })) {
      this.#endView(view, new LaurelError("limit", "the view is longer than the server takes", true));
    }
  }

  #subscribeAll(): void {
    for (const [view, id] of [...this.#ids]) {
      if (!this.#views.has(id)) this.#subscribe(view); // a listener may have opened one just now
    }
  }

  #leave(view: View<any>): void {
    const id = this.#forget(view);
    if (id) this.#connection.send({ type: "unsubscribe", id });
  }

  #forget(view: View<any>): string | undefined {
    const id = this.#ids.get(view);
    this.#ids.delete(view);
    this.#views.delete(id ?? "");
    this.#retries.get(view)?.cancel();
    this.#retries.delete(view);
    if (this.#ids.size === 0 && this.state !== "closed") {
      this.#cancelIdle?.();
      this.#cancelIdle = this.#environment.timer(idleMs, () => {
        if (this.#ids.size === 0) this.#connection.stop("idle");
      });
    }
    return id;
  }

  #received(message: ViewMessage | Extract<ServerMessage, { type: "error" }>): void {
    const view = this.#views.get(message.id ?? "");
    if (!view) return;
    if (message.type === "error") {
      this.#refused(view, message.code, message.detail);
      return;
    }
    if (message.type === "snapshot" || message.type === "resumed") this.#retries.delete(view);
    if (view.take(message)) return;
    view.distrust();
    this.#connection.gap();
  }

  #refused(view: View<any>, code: string, detail: string): void {
    if (code === "events_lost") {
      view.fail(new LaurelError(code, detail, false));
    } else if (code === "unavailable") {
      view.lost();
      view.fail(new LaurelError(code, detail, false));
      this.#tryLater(view);
    } else {
      this.#endView(view, new LaurelError(code, detail, true));
    }
  }

  #tryLater(view: View<any>): void {
    if (!this.#ids.has(view)) return; // a listener has closed it
    const failures = this.#retries.get(view)?.failures ?? 0;
    const cancel = this.#environment.timer(backoff(failures, this.#environment.random), () => this.#connection.ready && this.#subscribe(view));
    this.#retries.set(view, { failures: failures + 1, cancel });
  }

  #endView(view: View<any>, error: LaurelError): void {
    this.#forget(view);
    view.fail(error);
  }

  #changed(state: ConnectionState): void {
    if (!this.#connection.ready) {
      for (const { cancel } of this.#retries.values()) cancel();
      this.#views.clear();
      if (state !== "closed") for (const view of [...this.#ids.keys()]) view.lost();
    }
    this.emit("state", state);
  }

  #failed(error: LaurelError): void {
    this.emit("error", error);
    if (!error.final) return;
    this.#end();
    for (const view of [...this.#ids.keys()]) this.#endView(view, error);
  }

  #pause(): void {
    if (this.#ids.size > 0) this.#connection.stop("paused");
    else this.#connection.stop("idle");
  }

  #end(): void {
    this.#unfollow();
    this.#cancelIdle?.();
    this.#connection.stop("closed");
  }
}

// The server refuses members that it does not know: what else an object may have stays here.
function picked({ rule, period, segment, fields }: Board): Board {
  return { rule, period, ...(segment === undefined ? {} : { segment }), ...(fields === undefined ? {} : { fields: [...fields] }) };
}
