import type { Exchange } from "@laurel/client";

/** What an entry of the log is: a request, its answer, news that came by themselves, or what went wrong. */
export type Kind = "REQ" | "RES" | "POLL" | "ERR";

export interface Entry {
  readonly id: number;
  readonly kind: Kind;
  readonly at: number;
  /** Such as `GET /v1/users`. */
  readonly what: string;
  readonly status: "pending" | "success" | "failed";
  readonly note: string;
  readonly payload: unknown;
}

const most = 200; // entries kept: the log is of what was done just now

/** What this page has sent and been told since it was opened, the newest last. */
export class RequestLog extends EventTarget {
  #entries: Entry[] = [];
  #last = 0;
  readonly #pending = new Map<string, number>(); // requests under way → their entry

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Takes what a Rest client tells. `source` tells clients apart. */
  exchange(source: number, exchange: Exchange): void {
    const what = `${exchange.method} ${exchange.path}${activityIn(exchange)}`;
    const name = `${source}.${exchange.id}`;
    if (exchange.tookMs === undefined) {
      this.#pending.set(name, this.#add({ kind: "REQ", at: exchange.began, what, status: "pending", note: "", payload: exchange.body }));
      return;
    }
    const failed = exchange.error !== undefined || (exchange.status ?? 0) >= 400;
    const request = this.#pending.get(name);
    this.#pending.delete(name);
    this.#entries = this.#entries.map((entry) => (entry.id === request ? { ...entry, status: failed ? "failed" : "success" } : entry));
    const note = `${exchange.status ?? exchange.error ?? ""} · ${Math.round(exchange.tookMs)} ms`;
    this.#add({ kind: failed ? "ERR" : "RES", at: exchange.began + exchange.tookMs, what, status: failed ? "failed" : "success", note, payload: exchange.answer ?? exchange.error });
  }

  /** News of a view, or of a page that asks now and then. */
  poll(what: string, payload: unknown): void {
    this.#add({ kind: "POLL", at: Date.now(), what, status: "success", note: "", payload });
  }

  clear(): void {
    this.#entries = [];
    this.dispatchEvent(new Event("change"));
  }

  #add(entry: Omit<Entry, "id">): number {
    const id = ++this.#last;
    this.#entries = [...this.#entries.slice(1 - most), { ...entry, id }];
    this.dispatchEvent(new Event("change"));
    return id;
  }
}

/** What a request records, such as ` · point coins`. */
function activityIn({ method, path, body }: Exchange): string {
  if (method !== "POST" || path !== "/v1/activities" || typeof body !== "object" || body === null || !("name" in body)) return "";
  const { kind, name } = body as { kind?: unknown; name: unknown };
  return ` · ${String(kind ?? "behaviour")} ${String(name)}`;
}
