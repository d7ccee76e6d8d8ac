export { Laurel, type LaurelEvents, type LaurelOptions, type ViewOptions } from "./client.js";
export type { ConnectionState } from "./connection.js";
export { applyDelta, applyUserDelta, compareRows, compareUsers } from "./delta.js";
export type { Emitter } from "./emitter.js";
export type { Fetch, WebSocketConstructor, WebSocketLike } from "./environment.js";
export { LaurelError } from "./errors.js";
export type { TransportName } from "./transport.js";
export type { DeltaOf, View, ViewEvents, ViewStatus } from "./view.js";
export type {
  Board,
  BoardDelta,
  BoardRank,
  BoardState,
  LaurelEvent,
  Period,
  Position,
  Profile,
  Rollover,
  Row,
  Staleness,
  Streak,
  User,
  UserDelta,
  UserState,
  ViewQuery,
} from "./wire.js";
export { Problem, Rest, type Exchange, type RestFetch, type RestInput, type RestOptions } from "./rest.js";
