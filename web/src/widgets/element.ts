import type { Laurel, BoardState, UserState, View } from "@laurel/client";
import { Announcer, type Timing } from "../board/announcer.js";
import { borrow, fetcherOf, forgetFetcher, type TokenSource } from "./clients.js";
import { el, setText, sheet } from "./dom.js";
import { base } from "./style.js";
import { english, fill, type Words } from "./words.js";

const graceMs = 2_000; // a connection that is back by then was never away, as far as a reader is concerned
const quietMs = 15_000;

const timing: Timing = {
  now: () => performance.now(),
  timer: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** The attributes that every widget has. */
export const common = ["server", "key", "token-url", "org", "labels", "heading", "lang"];

/** The server that the script came from, which is the one to ask unless the page names another. */
const home = new URL("/", import.meta.url).href;

/**
 * What all widgets have in common: whom to ask and by what right, a view that follows the server, and what is said while there is none. A widget says which view
 * it shows and how.
 */
export abstract class LaurelElement<State extends BoardState | UserState> extends HTMLElement {
  /** A token, or what fetches one; it is called whenever one is needed. It goes before the attributes `key` and `token-url`. */
  token: TokenSource | undefined;
  protected readonly body: HTMLElement;
  readonly #status: HTMLElement;
  readonly #live: HTMLElement;
  readonly #announcer: Announcer;
  #labels: Partial<Words> | undefined;
  #offs: (() => void)[] = [];
  #asked = false;
  #cancelGrace: (() => void) | undefined;

  constructor(css: string, body: HTMLElement) {
    super();
    this.body = body;
    this.#status = el("p", { class: "status", part: "status", role: "status", hidden: "" });
    this.#live = el("p", { class: "sr", role: "status" });
    this.#announcer = new Announcer((text) => setText(this.#live, text), quietMs, timing);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet(base + css)];
    root.append(this.body, this.#status, this.#live);
  }

  /** Own words for some of what the widget says; left out ones are English. */
  get labels(): Partial<Words> {
    return this.#labels ?? parsed(this.getAttribute("labels"));
  }

  set labels(words: Partial<Words>) {
    this.#labels = words;
    this.#ask();
  }

  connectedCallback(): void {
    // What a page has set before this script came would hide the accessors.
    for (const name of ["labels", "token"] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      (this as Record<string, unknown>)[name] = value;
    }
    this.#ask();
  }

  disconnectedCallback(): void {
    this.#close();
  }

  attributeChangedCallback(): void {
    this.#ask();
  }

  /** Begins anew, as after a change of an attribute: with the next token, as who is signed in now. */
  refresh(): void {
    forgetFetcher(new URL(this.attribute("token-url") ?? "", document.baseURI).href);
    this.#ask();
  }

  /** The view to show, or undefined while attributes are missing. */
  protected abstract watch(client: Laurel): View<State> | undefined;

  /** Shows a state; undefined: nothing has come yet. */
  protected abstract paint(state: State | undefined): void;

  /** What else ends with the view. */
  protected onEnd(off: () => void): void {
    this.#offs.push(off);
  }

  /** A text to read out, not too often. */
  protected say(text: string): void {
    this.#announcer.say(text);
  }

  protected word(name: keyof Words, values: Record<string, string> = {}): string {
    return fill(this.labels[name] ?? english[name], values);
  }

  protected get locale(): string | undefined {
    const named = this.closest("[lang]")?.getAttribute("lang");
    return named && Intl.NumberFormat.supportedLocalesOf(named).length > 0 ? named : undefined;
  }

  protected number(n: number, options: Intl.NumberFormatOptions = {}): string {
    return new Intl.NumberFormat(this.locale, { maximumFractionDigits: 6, ...options }).format(n);
  }

  protected attribute(name: string): string | undefined {
    return this.getAttribute(name) || undefined;
  }

  // Attributes come one by one, and a page may set the token right after them.
  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      this.#close();
      if (this.isConnected) this.#open();
    });
  }

  #open(): void {
    const token = this.#token();
    this.paint(undefined);
    if (token === undefined) return;
    const { client, giveBack } = borrow(new URL(this.attribute("server") ?? home, document.baseURI).href, token, this.attribute("org"));
    let view: View<State> | undefined;
    try {
      view = this.watch(client);
    } catch (err) {
      this.#tell("error", err instanceof Error ? err.message : String(err));
    }
    if (!view) {
      giveBack();
      return;
    }
    const own = view;
    this.body.setAttribute("aria-busy", "true");
    const follow = () => this.#follow(own);
    const online = () => follow();
    addEventListener("online", online);
    addEventListener("offline", online);
    this.#offs.push(
      own.on("change", (state) => {
        this.body.removeAttribute("aria-busy");
        this.paint(state);
        this.dispatchEvent(new CustomEvent("laurel-change", { detail: state, bubbles: true, composed: true }));
      }),
      own.on("state", follow),
      own.on("error", follow),
      client.on("error", follow),
      () => {
        removeEventListener("online", online);
        removeEventListener("offline", online);
        own.close();
        giveBack();
      },
    );
    follow();
  }

  #close(): void {
    for (const off of this.#offs.splice(0)) off();
    this.#cancelGrace?.();
    this.#announcer.stop();
    this.#tell("", "");
  }

  #token(): TokenSource | undefined {
    if (this.token) return this.token;
    const address = this.attribute("token-url");
    return address ? fetcherOf(new URL(address, document.baseURI).href) : this.attribute("key");
  }

  // A short interruption is not mentioned.
  #follow(view: View<State>): void {
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    if (view.status === "live") {
      this.#tell("", "");
    } else if (view.status === "ended" && view.error) {
      this.body.removeAttribute("aria-busy");
      this.#tell("error", `${this.word("failed")}: ${view.error.message}`);
    } else if (view.status !== "ended") {
      this.#cancelGrace = timing.timer(graceMs, () => this.#tell("waiting", this.#why(view)));
    }
  }

  #why(view: View<State>): string {
    const what = !navigator.onLine ? "offline" : view.staleSince ? "old" : view.state ? "reconnecting" : "loading";
    const asOf = view.staleSince ?? view.state?.as_of;
    if (!asOf) return this.word(what);
    const time = new Intl.DateTimeFormat(this.locale, { timeStyle: "short" }).format(new Date(asOf));
    return `${this.word(what)} · ${this.word("asOf", { time })}`;
  }

  #tell(kind: "" | "waiting" | "error", text: string): void {
    this.#status.hidden = kind === "";
    this.#status.classList.toggle("error", kind === "error");
    setText(this.#status, text);
    if (kind) this.setAttribute("data-state", kind);
    else this.removeAttribute("data-state");
  }
}

function parsed(text: string | null): Partial<Words> {
  try {
    return text ? (JSON.parse(text) as Partial<Words>) : {};
  } catch {
    return {};
  }
}

/** Makes an element known, unless another file, or an older one, has. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
