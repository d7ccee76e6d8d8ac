import { Laurel, Problem, Rest, type Exchange } from "@laurel/client";
import type { components, paths } from "../api/schema.gen.js";

export type Self = components["schemas"]["Self"];

/** Somebody who is signed in: what the key is good for, and the two ways to use it. */
export interface Session {
  readonly key: string;
  readonly self: Self;
  readonly org: string;
  readonly rest: Rest<paths>;
  readonly live: Laurel;
}

const names = { key: "laurel.key", org: "laurel.org" } as const;

/** What this tab keeps until it is closed. The key is nowhere else: not in a cookie, not in an address, not in storage that outlives the tab. */
export const kept = {
  get: (name: keyof typeof names): string | null => {
    try {
      return sessionStorage.getItem(names[name]);
    } catch {
      return null; // storage may be off: then a reload asks again
    }
  },
  set: (name: keyof typeof names, value: string | null): void => {
    try {
      if (value === null) sessionStorage.removeItem(names[name]);
      else sessionStorage.setItem(names[name], value);
    } catch {
      // as above
    }
  },
};

/** Takes the key out of the address's part after #, which browsers send to nobody, and out of the address bar and the history. */
export function takeKeyFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  const key = given.get("key");
  if (!key) return;
  kept.set("key", key);
  kept.set("org", given.get("org"));
  given.delete("key");
  given.delete("org");
  const rest = given.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
}

/** Signs in. Problem: what the server says of the key. */
export async function signIn(key: string, org: string | null, onExchange?: (exchange: Exchange) => void): Promise<Session> {
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Problem(0, "unauthorized", "This is not a key.", "key");
  const url = location.origin;
  const self = await new Rest<paths>({ url, token: key, onExchange }).get("/v1/self", {});
  const chosen = org && self.orgs.includes(org) ? org : self.orgs[0]!;
  kept.set("key", key);
  kept.set("org", chosen);
  return { key, self, org: chosen, rest: new Rest<paths>({ url, token: key, org: chosen, onExchange }), live: new Laurel({ url, token: key, org: chosen }) };
}

export function signOut(session: Session | undefined): void {
  session?.live.close();
  kept.set("key", null);
  kept.set("org", null);
}
