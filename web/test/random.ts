/** Numbers that a failing test can be repeated with. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = (Math.random() * 2 ** 31) | 0) {
    this.seed = this.#state = seed;
  }

  /** From 0 up to and without `n`. */
  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * n);
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}
