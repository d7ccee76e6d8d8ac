import type { Environment, Fetch, SocketLike, WebSocketConstructor } from "./environment.js";
import { Streams } from "./streams.js";

/** What the messages come by. */
export type TransportName = "websocket" | "sse";

export interface Transport {
  readonly name: TransportName;
  dial(): SocketLike;
}

/** What transports are made of. */
export interface TransportOptions {
  readonly url: string;
  readonly transport?: TransportName | "auto";
  readonly WebSocket?: WebSocketConstructor;
  readonly fetch?: Fetch;
}

const subprotocol = "laurel.v1";

/** The transports that are asked for and can be had here, the best first. It throws where there is none. */
export function transportsOf(options: TransportOptions, environment: Environment): Transport[] {
  const here = globalThis as { WebSocket?: WebSocketConstructor; fetch?: Fetch };
  const WebSocket = options.WebSocket ?? here.WebSocket;
  const fetch = options.fetch ?? here.fetch;
  const wanted = options.transport ?? "auto";
  const list: Transport[] = [];
  if (WebSocket && wanted !== "sse") {
    const url = address(options.url, "ws");
    list.push({ name: "websocket", dial: () => new WebSocket(url, [subprotocol]) });
  }
  if (fetch && wanted !== "websocket") {
    const url = address(options.url, "stream");
    list.push({ name: "sse", dial: () => new Streams(url, fetch, environment) });
  }
  if (list.length === 0) throw new TypeError(`there is no global ${wanted === "sse" ? "fetch" : "WebSocket"} here: pass one as an option`);
  return list;
}

/** The address of a server's socket, or of its streams. */
function address(url: string, end: "ws" | "stream"): string {
  const parsed = new URL(url, (globalThis as { location?: { href: string } }).location?.href);
  const secure = parsed.protocol === "https:" || parsed.protocol === "wss:";
  if (/^(https?|wss?):$/.test(parsed.protocol)) parsed.protocol = (end === "ws" ? "ws" : "http") + (secure ? "s:" : ":");
  parsed.pathname = parsed.pathname.replace(/\/*(v1\/ws)?$/, `/v1/${end}`);
  return parsed.href;
}
