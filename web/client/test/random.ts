/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed;
  }

  /** From 0 to below n. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Runs a property with many seeds; a failure names the one to run again. */
export function check(runs: number, property: (random: Random) => void): void {
  const first = (Math.random() * 2 ** 31) | 0;
  for (let seed = first; seed < first + runs; seed++) {
    try {
      property(new Random(seed));
    } catch (err) {
      throw new Error(`with seed ${seed}`, { cause: err });
    }
  }
}
