import { applyDelta, applyUserDelta } from "./delta.js";
import { Emitter } from "./emitter.js";
import type { LaurelError } from "./errors.js";
import type { BoardDelta, BoardState, LaurelEvent, Position, Rollover, Staleness, UserDelta, UserState, ViewMessage, ViewQuery } from "./wire.js";

/**
 * `pending`: nothing has come yet. `live`: `state` is what the server shows. `stale`: `state` may be old, because the connection is lost
 * or the server is cut off from its store. `ended`: by `close`, or by an error, which is then in `error`.
 */
export type ViewStatus = "pending" | "live" | "stale" | "ended";

/** The delta of each kind of state. */
export type DeltaOf<State> = State extends BoardState ? BoardDelta : UserDelta;

/** The events of a view, and what listeners are passed. */
export interface ViewEvents<State> {
  /** There is another state, by a snapshot or a delta. */
  change: State;
  /** A whole state came. */
  snapshot: State;
  /** A delta came, and is part of `view.state` already. */
  delta: DeltaOf<State>;
  /** The view's cycle moved on. A snapshot of the new period follows. */
  period: Rollover;
  /** News of the user of a user view. None is repeated: what came while there was no connection is in `GET /v1/events`. */
  event: LaurelEvent;
  /** The server is cut off from its store, or behind it. What is shown is not wrong, but may be old; it may come again, with a later `as_of`. */
  stale: Staleness;
  /** The view shows everything again. */
  fresh: void;
  /** With `error.final`, the view has ended. */
  error: LaurelError;
  /** The status changed. */
  state: ViewStatus;
}

/** @internal What a view asks of its client. */
export interface ViewOwner {
  leave(view: View<any>): void;
}

/**
 * What the server shows, kept up to date. `state` is always whole: what a read answered at some moment, never a mixture of two. As an async
 * iterable it gives the state there is and then the latest one each time that it has changed; what changes meanwhile is skipped.
 */
export class View<State extends BoardState | UserState> extends Emitter<ViewEvents<State>> {
  readonly query: ViewQuery;
  /** At most so many messages a second; undefined: as they come. */
  readonly maxHz: number | undefined;
  readonly #owner: ViewOwner;
  #state: State | undefined;
  #status: ViewStatus = "pending";
  #error: LaurelError | undefined;
  #trusted = true; // the server may be asked to go on from the state
  #behind: Staleness | undefined; // as the server says, on this connection
  #started = false; // a snapshot, or "resumed", came on this connection

  /** @internal */
  constructor(owner: ViewOwner, query: ViewQuery, maxHz: number | undefined) {
    super();
    this.#owner = owner;
    this.query = query;
    this.maxHz = maxHz;
  }

  /** What is shown; undefined while nothing has come. */
  get state(): State | undefined {
    return this.#state;
  }

  get status(): ViewStatus {
    return this.#status;
  }

  /** Since when the server cannot tell whether the view shows everything; undefined while it can, and while there is no connection. */
  get staleSince(): string | undefined {
    return this.#behind?.as_of;
  }

  /** What ended the view; undefined while it goes on, and after `close`. */
  get error(): LaurelError | undefined {
    return this.#error;
  }

  /** Unsubscribes. `state` stays as it was; listeners are told the status and then nothing more. */
  close(): void {
    if (this.#status === "ended") return;
    this.#owner.leave(this);
    this.#become("ended");
  }

  /** Resolves with the state as soon as there is one; rejects if the view ends before. */
  async ready(): Promise<State> {
    for await (const state of this) return state;
    throw this.#error ?? new Error("the view was closed");
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<State, void, void> {
    let seen: State | undefined;
    for (;;) {
      if (this.#state !== undefined && this.#state !== seen) yield (seen = this.#state);
      else if (this.#status !== "ended") await this.#next();
      else if (this.#error) throw this.#error;
      else return;
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        for (const off of offs) off();
        resolve();
      };
      const offs = [this.on("change", done), this.on("state", (status) => status === "ended" && done())];
    });
  }

  /** @internal What to resume from. */
  get since(): Position | undefined {
    return this.#state && this.#trusted ? { epoch: this.#state.epoch, seq: this.#state.seq } : undefined;
  }

  /** @internal Something did not fit: nothing less than a snapshot follows what is held. */
  distrust(): void {
    this.#trusted = false;
  }

  /** @internal The connection, or the subscription, is gone. */
  lost(): void {
    this.#started = false;
    this.#behind = undefined;
    if (this.#status === "live") this.#become("stale");
  }

  /** @internal The server, or the client, has ended the view. */
  fail(error: LaurelError): void {
    if (error.final) this.#error = error;
    this.emit("error", error);
    if (error.final) this.#become("ended");
  }

  /** @internal Takes a message of the subscription. It returns false if that does not fit what is held. */
  take(message: ViewMessage): boolean {
    switch (message.type) {
      case "snapshot":
        return this.#snapshot(message as unknown as State);
      case "resumed":
        if (this.#state?.seq !== message.seq) return false;
        this.#started = true;
        this.#live();
        return true;
      case "delta":
        return !this.#started || this.#delta(message as unknown as DeltaOf<State>);
      case "period":
        this.emit("period", { ended: message.ended, started: message.started });
        return true;
      case "event":
        this.emit("event", message.event);
        return true;
      case "stale":
        this.#behind = { as_of: message.as_of };
        if (this.#status === "live") this.#become("stale");
        this.#tell("stale", this.#behind);
        return true;
      case "fresh":
        this.#behind = undefined;
        if (this.#started) this.#live();
        this.#tell("fresh", undefined);
        return true;
    }
  }

  #snapshot(m: State): boolean {
    const state = this.query.kind === "user" ? userState(m as UserState) : boardState(m as BoardState);
    if (!state) return false;
    this.#started = this.#trusted = true;
    this.#state = state as State;
    this.#live();
    this.#tell("snapshot", this.#state);
    this.#tell("change", this.#state);
    return true;
  }

  #delta(delta: DeltaOf<State>): boolean {
    const next = this.#after(delta);
    if (!next) return false;
    this.#state = next;
    this.#tell("delta", delta);
    this.#tell("change", next);
    return true;
  }

  #after(delta: BoardDelta | UserDelta): State | undefined {
    const { query } = this;
    if (query.kind === "user") return applyUserDelta(this.#state as UserState, delta as UserDelta) as State | undefined;
    const limit = query.kind === "top" ? query.limit : Infinity;
    return applyDelta(this.#state as BoardState, delta as BoardDelta, limit) as State | undefined;
  }

  #live(): void {
    this.#become(this.#behind ? "stale" : "live");
  }

  // A listener may have closed the view just before.
  #tell<Name extends keyof ViewEvents<State>>(name: Name, value: ViewEvents<State>[Name]): void {
    if (this.#status !== "ended") this.emit(name, value);
  }

  #become(status: ViewStatus): void {
    if (this.#status === status || this.#status === "ended") return;
    this.#status = status;
    this.emit("state", status);
  }
}

function boardState({ epoch, seq, as_of, period, total, rows }: BoardState): BoardState | undefined {
  return Array.isArray(rows) ? { epoch, seq, as_of, period, total, rows } : undefined;
}

function userState({ epoch, seq, as_of, user }: UserState): UserState | undefined {
  return user ? { epoch, seq, as_of, user } : undefined;
}
