import type { Environment, Fetch, SocketLike } from "./environment.js";
import { EventParser } from "./events.js";
import { defaultLimits, type ClientMessage, type ServerMessage } from "./wire.js";

type Subscribe = Extract<ClientMessage, { type: "subscribe" }>;

/** One request for one view. */
interface Stream {
  readonly abort: AbortController;
  cancelTimer: () => void;
  /** The server has said that the view has ended: its close is that of this stream alone. */
  over: boolean;
}

const closeLost = 1006;
const closeUnauthorized = 4501;
const patienceMs = defaultLimits.ping_ms + defaultLimits.pong_ms; // a server gives a sign of life every 15 s

/**
 * Server-Sent Events in the form of a socket: each subscription is a request of its own, and the messages of all come as those of one connection. If one
 * breaks off, the connection ends, because whatever cut it off has most likely cut off the others; all resume where they were.
 *
 * It takes commands at once, and says `welcome` when the server has answered the first of them.
 */
export class Streams implements SocketLike {
  readonly eager = true;
  onopen: ((event: any) => any) | null = null;
  onmessage: ((event: any) => any) | null = null;
  onclose: ((event: any) => any) | null = null;
  onerror: ((event: any) => any) | null = null;
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #environment: Environment;
  readonly #streams = new Map<string, Stream>(); // by the id of the subscription
  #headers: Record<string, string> = {};
  #welcomed = false;

  constructor(url: string, fetch: Fetch, environment: Environment) {
    this.#url = url;
    this.#fetch = fetch;
    this.#environment = environment;
    queueMicrotask(() => this.onopen?.({}));
  }

  send(text: string): void {
    const message = JSON.parse(text) as ClientMessage;
    if (message.type === "hello") {
      this.#headers = { Authorization: `Bearer ${message.token}`, ...(message.org === undefined ? {} : { "Laurel-Org": message.org }) };
    } else if (message.type === "subscribe") {
      void this.#follow(message);
    } else if (message.type === "unsubscribe") {
      this.#leave(message.id);
    }
  }

  close(): void {
    for (const id of [...this.#streams.keys()]) this.#leave(id);
  }

  async #follow(command: Subscribe): Promise<void> {
    const { id } = command;
    const stream: Stream = { abort: new AbortController(), cancelTimer: () => {}, over: false };
    this.#streams.set(id, stream);
    const own = () => this.#streams.get(id) === stream;
    try {
      const fetch = this.#fetch; // a method would be called with another this
      const { signal } = stream.abort;
      const answer = await fetch(`${this.#url}?${parameters(command)}`, { headers: this.#headers, signal, credentials: "omit", cache: "no-store" });
      if (!answer.ok) {
        const problem = await answer.json();
        if (own()) this.#refused(id, answer.status, problem);
        return;
      }
      if (!own()) return;
      this.#welcome();
      await this.#read(id, stream, answer.body.getReader(), own);
    } catch {
      // The network, or what is no message.
    }
    if (own()) this.#end(closeLost);
  }

  async #read(id: string, stream: Stream, reader: { read(): Promise<{ done: boolean; value?: any }> }, own: () => boolean): Promise<void> {
    const parser = new EventParser();
    const decoder = new TextDecoder();
    while (own()) {
      stream.cancelTimer();
      stream.cancelTimer = this.#environment.timer(patienceMs, () => this.#end(closeLost));
      const { done, value } = await reader.read();
      if (done || !own()) return;
      this.#tell(); // a sign of life
      for (const data of parser.push(decoder.decode(value, { stream: true }))) {
        if (own()) this.#one(id, stream, JSON.parse(data));
      }
    }
  }

  #one(id: string, stream: Stream, message: ServerMessage): void {
    if (message.type === "close") {
      if (stream.over) this.#leave(id);
      else this.#end(message.code, message.reason);
      return;
    }
    const ofView = "id" in message;
    if (message.type === "error" && ofView && message.code !== "events_lost") stream.over = true;
    this.#tell(ofView ? ({ ...message, id } as ServerMessage) : message);
  }

  // What a server cannot do now is tried again later: a view alone once others go on, else all.
  #refused(id: string, status: number, { code, detail, title }: { code: string; detail?: string; title: string }): void {
    const why = { code, detail: detail ?? title };
    if (!code || ((status === 429 || status >= 500) && !this.#welcomed)) {
      this.#end(closeLost);
    } else if (status === 401) {
      this.#tell({ type: "error", ...why });
      this.#end(closeUnauthorized, code);
    } else {
      this.#leave(id);
      this.#welcome();
      this.#tell({ type: "error", id, ...why, ...(status === 429 || status >= 500 ? { code: "unavailable" } : {}) });
    }
  }

  #welcome(): void {
    if (this.#welcomed) return;
    this.#welcomed = true;
    this.#tell({ type: "welcome", server_time: "" });
  }

  #tell(...messages: ServerMessage[]): void {
    this.onmessage?.({ data: messages });
  }

  #leave(id: string): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.cancelTimer();
    stream?.abort.abort();
  }

  #end(code: number, reason = ""): void {
    this.close();
    this.onclose?.({ code, reason });
  }
}

function parameters({ view, max_hz, since }: Subscribe): URLSearchParams {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    for (const one of Array.isArray(value) ? value : [value]) out.append(name, String(one));
  }
  if (max_hz !== undefined) out.set("max_hz", String(max_hz));
  if (since) out.set("last_event_id", `${since.epoch}.${since.seq}`);
  return out;
}
