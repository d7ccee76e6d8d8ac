import { Laurel } from "@laurel/client";

export type TokenSource = string | (() => string | Promise<string>);

interface Shared {
  readonly client: Laurel;
  users: number;
}

interface Registry {
  readonly clients: Map<string, Shared>;
  readonly names: WeakMap<object, number>;
  readonly fetchers: Map<string, () => Promise<string>>;
  last: number;
}

// Widgets come in separate files, each with a client in it. Those of a page that ask for the same share one connection all the same: whichever file was
// first brings the client.
const place = Symbol.for("laurel.widgets.v1");

function registry(): Registry {
  const here = globalThis as { [place]?: Registry };
  return (here[place] ??= { clients: new Map(), names: new WeakMap(), fetchers: new Map(), last: 0 });
}

/** A client for these, and how to give it back. The last one who does ends its connection. */
export function borrow(url: string, token: TokenSource, org: string | undefined): { client: Laurel; giveBack: () => void } {
  const { clients } = registry();
  const name = JSON.stringify([url, typeof token === "string" ? token : nameOf(token), org]);
  let shared = clients.get(name);
  if (!shared || shared.client.state === "closed") {
    shared = { client: new Laurel({ url, token, ...(org ? { org } : {}) }), users: 0 };
    clients.set(name, shared);
  }
  const own = shared;
  own.users++;
  return {
    client: own.client,
    giveBack: () => {
      if (--own.users > 0) return;
      if (clients.get(name) === own) clients.delete(name);
      own.client.close();
    },
  };
}

function nameOf(token: object): number {
  const all = registry();
  const known = all.names.get(token) ?? ++all.last;
  all.names.set(token, known);
  return known;
}

/** What fetches a token there: the same for all widgets of the page. */
export function fetcherOf(address: string): () => Promise<string> {
  const { fetchers } = registry();
  const known = fetchers.get(address) ?? (() => fetchToken(address));
  fetchers.set(address, known);
  return known;
}

/** The next token from there may be somebody else's: widgets that ask from now on do not share a connection with those that asked before. */
export function forgetFetcher(address: string): void {
  registry().fetchers.delete(address);
}

/** Fetches a token where a page's own server gives it: as text, or as JSON with a member `token`. The page's cookies go along, because they say who asks. */
async function fetchToken(address: string): Promise<string> {
  const answer = await fetch(address, { credentials: "include", cache: "no-store" });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  const text = (await answer.text()).trim();
  return text.startsWith("{") ? String((JSON.parse(text) as { token: unknown }).token) : text;
}
