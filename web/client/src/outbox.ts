import type { Environment } from "./environment.js";
import { defaultLimits, type ClientMessage, type Limits } from "./wire.js";

// Left in the bucket for what must not wait: hello, pong, tokens, probes.
const reserve = 8;

/**
 * What waits to be sent on one connection. A server closes for good (4503) on clients that send too much at once; so commands go out at the pace
 * that `welcome` allows, and those that are out of date before their turn do not go out at all.
 */
export class Outbox {
  readonly #environment: Environment;
  readonly #write: (text: string) => void;
  readonly #waiting = new Map<string, ClientMessage>();
  #limits: Limits = defaultLimits;
  #tokens = defaultLimits.message_burst;
  #counted: number;
  #cancelTimer: (() => void) | undefined;

  constructor(environment: Environment, write: (text: string) => void) {
    this.#environment = environment;
    this.#write = write;
    this.#counted = environment.now();
  }

  /** Takes over the limits that the server named. */
  set limits(limits: Limits) {
    this.#tokens += limits.message_burst - this.#limits.message_burst;
    this.#limits = limits;
  }

  /** Sends at once. */
  now(message: ClientMessage): void {
    this.#refill();
    this.#tokens--;
    this.#write(JSON.stringify(message));
  }

  /** Sends when it is its turn. An unsubscribe takes back a subscribe that still waits. It returns false for what the server would never take. */
  add(message: Extract<ClientMessage, { id: string }>): boolean {
    if (utf8Length(JSON.stringify(message)) > this.#limits.message_bytes) return false;
    if (message.type === "unsubscribe" && this.#waiting.delete(`subscribe ${message.id}`)) return true;
    this.#waiting.set(`${message.type} ${message.id}`, message);
    this.#flush();
    return true;
  }

  close(): void {
    this.#waiting.clear();
    this.#cancelTimer?.();
  }

  #flush(): void {
    this.#refill();
    for (const [key, message] of this.#waiting) {
      if (this.#tokens < reserve + 1) break;
      this.#waiting.delete(key);
      this.now(message);
    }
    if (this.#waiting.size === 0 || this.#cancelTimer) return;
    this.#cancelTimer = this.#environment.timer(1000 / this.#limits.messages_per_second, () => {
      this.#cancelTimer = undefined;
      this.#flush();
    });
  }

  // A little slower than allowed: the two clocks differ.
  #refill(): void {
    const now = this.#environment.now();
    const earned = ((now - this.#counted) / 1000) * this.#limits.messages_per_second * 0.9;
    this.#tokens = Math.min(this.#limits.message_burst, this.#tokens + Math.max(0, earned));
    this.#counted = now;
  }
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
