import type { Environment } from "./environment.js";

/** What a page's being looked at, or not, means for a connection. */
export interface Sleeper {
  /** Nobody looks: end the connection. */
  pause(): void;
  /** Somebody looks again, or the network is back: have a connection, at once. */
  wake(): void;
}

/**
 * Follows the page: pauses when it has been hidden for `afterMs`, and at once when the browser freezes it or keeps it for "back"; wakes when it is
 * visible again and when the network is back. Where there is no page it does nothing. It returns how to stop that.
 */
export function followPage(environment: Environment, sleeper: Sleeper, afterMs: number): () => void {
  const { page } = environment;
  if (!page) return () => {};
  let cancel: (() => void) | undefined;
  const look = () => {
    cancel?.();
    cancel = undefined;
    if (!page.hidden()) sleeper.wake();
    else if (afterMs !== Infinity) cancel = environment.timer(afterMs, () => sleeper.pause());
  };
  if (page.hidden()) look();
  const offs = [
    page.on("visibilitychange", look),
    page.on("resume", look),
    page.on("pageshow", look),
    page.on("freeze", () => sleeper.pause()),
    page.on("pagehide", () => sleeper.pause()),
    page.on("online", () => {
      if (!page.hidden()) sleeper.wake();
    }),
  ];
  return () => {
    cancel?.();
    for (const off of offs) off();
  };
}
