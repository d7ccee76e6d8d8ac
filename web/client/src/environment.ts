// What the library takes from its surroundings, so that tests can give it other ones.

/** The part of WebSocket that is used: that of browsers, of Node 22, and of the package ws have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: any) => any) | null;
  onmessage: ((event: any) => any) | null;
  onclose: ((event: any) => any) | null;
  onerror: ((event: any) => any) | null;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** A WebSocket, or what does the same. */
export interface SocketLike extends WebSocketLike {
  /** It takes commands as soon as it is open, before it welcomes. */
  readonly eager?: boolean;
}

/** The part of fetch that is used. */
export type Fetch = (
  url: string,
  init: { headers: Record<string, string>; signal: any; credentials: "omit"; cache: "no-store" },
) => Promise<{ readonly ok: boolean; readonly status: number; readonly body: any; json(): Promise<any> }>;

export interface Environment {
  /** ms since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Calls back once, unless what it returns is called before. */
  timer(ms: number, callback: () => void): () => void;
  /** The page; undefined where there is none. */
  readonly page: Page | undefined;
}

export interface Page {
  hidden(): boolean;
  on(event: PageEvent, listener: () => void): () => void;
}

export type PageEvent = "visibilitychange" | "freeze" | "resume" | "pagehide" | "pageshow" | "online";

const longestTimer = 2 ** 31 - 1; // longer ones fire at once

export function surroundings(): Environment {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    timer: (ms, callback) => {
      const timer = setTimeout(callback, Math.min(ms, longestTimer));
      return () => clearTimeout(timer);
    },
    page: page(),
  };
}

// A worker has no document, but is told that the network is back. Node has neither.
function page(): Page | undefined {
  if (typeof globalThis.addEventListener !== "function") return undefined;
  const shown = typeof document === "undefined" ? undefined : document;
  const ofDocument: readonly PageEvent[] = ["visibilitychange", "freeze", "resume"];
  return {
    hidden: () => shown?.visibilityState === "hidden",
    on: (event, listener) => {
      const target: EventTarget = shown && ofDocument.includes(event) ? shown : globalThis;
      target.addEventListener(event, listener);
      return () => target.removeEventListener(event, listener);
    },
  };
}
