/**
 * Does one thing at a time: who asks while it is being done has it done once more when it is over, however often was asked. So what is read last was asked for after
 * the last reason to ask.
 */
export class Latest {
  readonly #act: (signal: AbortSignal) => Promise<void>;
  #doing: AbortController | undefined;
  #again = false;

  constructor(act: (signal: AbortSignal) => Promise<void>) {
    this.#act = act;
  }

  ask(): void {
    if (this.#doing) this.#again = true;
    else void this.#run();
  }

  /** What is under way is for something else: begins anew at once. */
  restart(): void {
    this.stop();
    this.ask();
  }

  stop(): void {
    this.#doing?.abort();
    this.#doing = undefined;
    this.#again = false;
  }

  async #run(): Promise<void> {
    const own = (this.#doing = new AbortController());
    do {
      this.#again = false;
      await this.#act(own.signal).catch((err: unknown) => {
        if (!own.signal.aborted) throw err;
      });
    } while (this.#again && this.#doing === own);
    if (this.#doing === own) this.#doing = undefined;
  }
}
