import type { Rest } from "@laurel/client";
import type { components, paths } from "../../api/schema.gen.js";

type UserRow = components["schemas"]["UserRow"];

const pauseMs = 200; // after the last letter
const most = 8;

/** Finds users by what is typed, the newest question only. */
export class People {
  found: readonly UserRow[] = [];
  readonly #changed: () => void;
  #asking: AbortController | undefined;
  #pausing: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  ask(api: Rest<paths>, text: string): void {
    this.stop();
    if (text.trim() === "") return;
    this.#pausing = setTimeout(() => void this.#ask(api, text.trim()), pauseMs);
  }

  stop(): void {
    clearTimeout(this.#pausing);
    this.#asking?.abort();
  }

  // Suggestions are a help: who cannot be asked is typed in full.
  async #ask(api: Rest<paths>, search: string): Promise<void> {
    const asking = (this.#asking = new AbortController());
    const page = (await api.get("/v1/users", { query: { search, limit: most }, signal: asking.signal }).catch(() => undefined)) as { users: readonly UserRow[] } | undefined;
    if (!page || asking.signal.aborted) return;
    this.found = page.users;
    this.#changed();
  }
}
