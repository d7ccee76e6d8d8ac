// What a server sends and takes: docs/PROTOCOL.md. Members are named as on the wire, so that a row here is a row of REST.

/** A place on a leaderboard. */
export interface Row {
  /** From 1. Where a rule numbers ties alike, several rows have the same. */
  readonly rank: number;
  readonly user: string;
  readonly score: number;
  /** When the user reached the score, in UTC: `2026-11-22T08:43:18.490Z`. */
  readonly reached_at: string;
  /** The rank in the period before; absent if the user had none. */
  readonly previous_rank?: number;
  /** With `fields: ["profile"]`, where the user has one. */
  readonly profile?: Profile;
}

export interface Profile {
  readonly name?: string;
  readonly picture?: string;
}

export interface Period {
  /** Such as `2026-W47`, or `all`. */
  readonly label: string;
  /** Absent for `all`, as is `end`. */
  readonly start?: string;
  readonly end?: string;
  /** Late activities no longer count in it. */
  readonly closed: boolean;
}

/** A user: the object of `GET /v1/users/{user}`. A newer server may send members that are not named here. */
export interface User {
  readonly id: string;
  readonly timezone?: string;
  readonly profile?: Profile;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly hidden?: boolean;
  readonly blocked?: boolean;
  readonly streaks: readonly Streak[];
  readonly ranks: readonly BoardRank[];
  readonly [member: string]: unknown;
}

/** A user's streak of one rule. The OpenAPI document of the server names every member. */
export interface Streak {
  readonly rule: string;
  readonly current: number;
  readonly longest: number;
  readonly state: "paused" | "frozen" | "broken" | "none" | "at_risk" | "active";
  readonly deadline?: string;
  readonly [member: string]: unknown;
}

/** A user's place on one of the current boards. */
export interface BoardRank {
  readonly rule: string;
  readonly segment?: string;
  readonly cycle: string;
  readonly label: string;
  readonly rank: number;
  readonly score: number;
  readonly reached_at: string;
  readonly total: number;
  readonly previous_rank?: number;
}

/** What became true of a user, such as `streak.extended`; its other members depend on the type. */
export interface LaurelEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** What a view shows, as `subscribe` takes it. */
export type ViewQuery =
  | ({ readonly kind: "top"; readonly limit: number } & Board)
  | ({ readonly kind: "range"; readonly from: number; readonly to: number } & Board)
  | ({ readonly kind: "around"; readonly user: string; readonly span: number } & Board)
  | ({ readonly kind: "users"; readonly users: readonly string[] } & Board)
  | { readonly kind: "user"; readonly user: string };

/** Which board, and what its rows show. */
export interface Board {
  readonly rule: string;
  /** A cycle (`week`: the current one, which rolls over by itself), a label (`2026-W47`), or `week~1`, the one before the current. */
  readonly period: string;
  /** The board of one value of the rule's `segment_by`. */
  readonly segment?: string;
  readonly fields?: readonly "profile"[];
}

/** A place in the history of a view on one node. Seqs of different epochs have nothing to do with each other. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** What a client holds of a board view. It is never changed: what comes next is another object. */
export interface BoardState extends Position {
  /** As of when a read would have answered the same. */
  readonly as_of: string;
  readonly period: Period;
  /** How many users are on the whole board. */
  readonly total: number;
  /** In the order of REST. */
  readonly rows: readonly Row[];
}

/** What a client holds of a user view. It is never changed: what comes next is another object. */
export interface UserState extends Position {
  readonly as_of: string;
  readonly user: User;
}

export interface BoardDelta {
  readonly prev: number;
  readonly seq: number;
  readonly as_of: string;
  readonly total: number;
  readonly upsert: readonly Row[];
  readonly remove: readonly string[];
}

export interface UserDelta {
  readonly prev: number;
  readonly seq: number;
  readonly as_of: string;
  /** The top-level members that are other than before, whole. */
  readonly user: Readonly<Record<string, unknown>>;
  /** The top-level members that are no more. */
  readonly unset?: readonly string[];
}

/** A view that follows a cycle moved on. */
export interface Rollover {
  readonly ended: Period;
  readonly started: Period;
}

/** The server cannot tell whether a view shows everything. */
export interface Staleness {
  /** What was committed until then is shown. */
  readonly as_of: string;
}

/** The limits that `welcome` names, as far as this library minds them. */
export interface Limits {
  readonly message_bytes: number;
  readonly message_burst: number;
  readonly messages_per_second: number;
  readonly ping_ms: number;
  readonly pong_ms: number;
}

/** The defaults of a server, until `welcome` says otherwise. */
export const defaultLimits: Limits = {
  message_bytes: 16_384,
  message_burst: 200,
  messages_per_second: 20,
  ping_ms: 25_000,
  pong_ms: 10_000,
};

export type ServerMessage =
  | { readonly type: "welcome"; readonly server_time: string; readonly expires_at?: string; readonly limits?: Partial<Limits> }
  | ViewMessage
  | { readonly type: "error"; readonly id?: string; readonly code: string; readonly detail: string }
  | { readonly type: "ping"; readonly at: string }
  | { readonly type: "drain"; readonly reconnect_in_ms: number }
  | { readonly type: "close"; readonly code: number; readonly reason: string }; // of streams only

/** Messages of one subscription. */
export type ViewMessage =
  | ({ readonly type: "snapshot"; readonly id: string } & (BoardState | UserState))
  | { readonly type: "resumed"; readonly id: string; readonly seq: number }
  | ({ readonly type: "delta"; readonly id: string } & (BoardDelta | UserDelta))
  | ({ readonly type: "period"; readonly id: string } & Rollover)
  | { readonly type: "event"; readonly id: string; readonly event: LaurelEvent }
  | ({ readonly type: "stale"; readonly id: string } & Staleness)
  | { readonly type: "fresh"; readonly id: string };

export type ClientMessage =
  | { readonly type: "hello"; readonly token: string; readonly org?: string }
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "subscribe"; readonly id: string; readonly view: ViewQuery; readonly max_hz?: number; readonly since?: Position }
  | { readonly type: "unsubscribe"; readonly id: string }
  | { readonly type: "pong" };
