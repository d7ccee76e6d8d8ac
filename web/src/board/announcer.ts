/** What an announcer needs of time. */
export interface Timing {
  now(): number;
  timer(ms: number, callback: () => void): () => void;
}

/**
 * Tells screen readers what is new, and does not chatter: of what is said within `quietMs` after the last announcement only the latest is announced, when that
 * time is over, and nothing is said twice in a row.
 */
export class Announcer {
  readonly #speak: (text: string) => void;
  readonly #timing: Timing;
  readonly #quietMs: number;
  #last = "";
  #silentUntil = -Infinity;
  #waiting: string | undefined;
  #cancel: (() => void) | undefined;

  constructor(speak: (text: string) => void, quietMs: number, timing: Timing) {
    this.#speak = speak;
    this.#quietMs = quietMs;
    this.#timing = timing;
  }

  say(text: string): void {
    const wait = this.#silentUntil - this.#timing.now();
    if (wait <= 0) {
      this.#out(text);
      return;
    }
    this.#waiting = text;
    this.#cancel ??= this.#timing.timer(wait, () => {
      this.#cancel = undefined;
      const next = this.#waiting;
      this.#waiting = undefined;
      if (next !== undefined) this.#out(next);
    });
  }

  /** Says nothing more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = this.#waiting = undefined;
  }

  #out(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    this.#silentUntil = this.#timing.now() + this.#quietMs;
    this.#speak(text);
  }
}
