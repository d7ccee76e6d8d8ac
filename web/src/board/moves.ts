import type { Row } from "@laurel/client";

/** A rank that changed a moment ago: places gained, or lost where negative. */
export interface Move {
  readonly by: number;
  readonly until: number;
}

/** Remembers who has just moved, for as long as that is shown. */
export class Moves {
  readonly #ranks = new Map<string, number>();
  readonly #moves = new Map<string, Move>();
  readonly #keepMs: number;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Takes the rows that are shown now. The first ones have not moved; nor has who was not among them before. */
  take(rows: readonly Row[], now: number): void {
    this.expire(now);
    const seen = new Set<string>();
    for (const { user, rank } of rows) {
      const before = this.#ranks.get(user);
      if (before !== undefined && before !== rank) this.#moves.set(user, { by: before - rank, until: now + this.#keepMs });
      this.#ranks.set(user, rank);
      seen.add(user);
    }
    for (const user of this.#ranks.keys()) {
      if (seen.has(user)) continue;
      this.#ranks.delete(user);
      this.#moves.delete(user);
    }
  }

  /** Forgets what has been shown for long enough, and says whether there was any. */
  expire(now: number): boolean {
    const before = this.#moves.size;
    for (const [user, move] of this.#moves) if (move.until <= now) this.#moves.delete(user);
    return this.#moves.size < before;
  }

  of(user: string): number {
    return this.#moves.get(user)?.by ?? 0;
  }

  get any(): boolean {
    return this.#moves.size > 0;
  }

  clear(): void {
    this.#ranks.clear();
    this.#moves.clear();
  }
}
