import type { BoardDelta, BoardState, Row, User, UserDelta, UserState } from "./wire.js";

/**
 * Returns the state after a delta of a board view, or undefined if the delta starts from another state than this one: then nothing can be made of
 * it, and the view has to be subscribed anew. The state that is passed is not changed. `limit` is that of a `top` view, which holds the first rows only.
 */
export function applyDelta(state: BoardState, delta: BoardDelta, limit = Infinity): BoardState | undefined {
  if (delta.prev !== state.seq) return undefined;
  const rows = new Map(state.rows.map((row) => [row.user, row]));
  for (const user of delta.remove) rows.delete(user);
  for (const row of delta.upsert) rows.set(row.user, row);
  const sorted = [...rows.values()].sort(compareRows);
  return {
    epoch: state.epoch,
    seq: delta.seq,
    as_of: delta.as_of,
    period: state.period,
    total: delta.total,
    rows: sorted.length > limit ? sorted.slice(0, limit) : sorted,
  };
}

/** Returns the state after a delta of a user view, or undefined if the delta starts from another state. The state that is passed is not changed. */
export function applyUserDelta(state: UserState, delta: UserDelta): UserState | undefined {
  if (delta.prev !== state.seq) return undefined;
  const members = new Map(Object.entries(state.user));
  for (const name of delta.unset ?? []) members.delete(name);
  for (const [name, value] of Object.entries(delta.user)) members.set(name, value);
  return { epoch: state.epoch, seq: delta.seq, as_of: delta.as_of, user: Object.fromEntries(members) as User };
}

/** The order of a board, as REST has it: by rank and, where ties share one, by who reached the score first, then by user id. */
export function compareRows(a: Row, b: Row): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.reached_at !== b.reached_at) return a.reached_at < b.reached_at ? -1 : 1; // instants in UTC, all of one length
  return compareUsers(a.user, b.user);
}

/** The order of user ids: that of their UTF-8 bytes, which is that of code points. The `<` of JavaScript orders UTF-16 units. */
export function compareUsers(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return place(x) - place(y);
  }
  return a.length - b.length;
}

// Surrogates stand for code points above all other units, though they are numbered below U+E000.
function place(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
