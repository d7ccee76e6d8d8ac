import "../shared/base.css";
import "./console.css";
import { Problem } from "@laurel/client";
import { LitElement, html, nothing } from "lit";
import icon from "../shared/icon.svg";
import { kept, signIn, signOut, takeKeyFromAddress, type Session } from "../shared/session.js";
import { Shortcuts } from "../shared/shortcuts.js";
import type { SignIn } from "../shared/sign-in.js";
import "../shared/sign-in.js";
import { nextTheme, setTheme, theme, type Theme } from "../shared/theme.js";
import "./boards.js";
import type { LogFooter } from "./log.js";
import "./log.js";
import { RequestLog } from "./log-entries.js";
import "./node.js";
import { routeOf, type Route } from "./routes.js";
import "./user.js";
import "./users.js";

const pages = [
  { page: "users", name: "Users", key: "u" },
  { page: "boards", name: "Boards", key: "p" },
  { page: "node", name: "Node", key: "n" },
] as const;

const themes: Record<Theme, string> = { auto: "Theme: as the system", dark: "Theme: dark", light: "Theme: light" };

/** The frame around the console's pages: who is signed in and for which org, where to go, shortcuts, and the log of requests. */
class Console extends LitElement {
  static override properties = { session: { state: true }, route: { state: true }, theme: { state: true }, trouble: { state: true }, helping: { state: true }, lost: { state: true } };
  declare session: Session | undefined;
  declare route: Route;
  declare theme: Theme;
  declare trouble: string | undefined;
  declare helping: boolean;
  declare lost: boolean;
  readonly #shortcuts = new Shortcuts();
  readonly #log = new RequestLog();
  #sources = 0;
  #sessions = 0; // pages are made anew for each session

  constructor() {
    super();
    this.route = routeOf(location.pathname);
    this.theme = theme();
    this.helping = false;
    this.lost = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", () => (this.route = routeOf(location.pathname)));
    addEventListener("keydown", (event) => this.session && this.#shortcuts.press(event));
    addEventListener("online", () => (this.lost = false));
    addEventListener("offline", () => (this.lost = true));
    this.addEventListener("click", (event) => this.#click(event));
    this.#shortcuts.add([
      ...pages.map(({ page, name, key }) => ({ key, label: `Go to ${name}`, run: () => this.#go(`/console/${page}`) })),
      { key: "r", label: "Open or fold the request log", run: () => this.querySelector<LogFooter>("laurel-log")?.toggle() },
      { key: "t", label: "Change the theme", run: () => this.#turn() },
      { key: "?", label: "Show the shortcuts", run: () => (this.helping = true) },
    ]);
    const key = kept.get("key");
    if (key) void this.#enter(key, kept.get("org"));
  }

  async #enter(key: string, org: string | null): Promise<void> {
    const source = ++this.#sources;
    this.trouble = undefined;
    try {
      const session = await signIn(key, org, (exchange) => this.#log.exchange(source, exchange));
      if (session.self.kind !== "sk") throw new Problem(0, "unauthorized", "The console needs a secret key (sk_…): others read boards only.", "key");
      this.session?.live.close();
      this.#sessions++;
      this.session = session;
    } catch (err) {
      this.#refused(err, key, org);
    }
  }

  #refused(err: unknown, key: string, org: string | null): void {
    const known = kept.get("key") === key && err instanceof Problem && (err.code === "network" || err.status >= 500);
    if (known) {
      this.trouble = `The server cannot be asked: ${err.message}. Trying again.`;
      setTimeout(() => kept.get("key") === key && !this.session && void this.#enter(key, org), 3_000);
      return;
    }
    signOut(this.session);
    this.session = undefined;
    void this.updateComplete.then(() => this.querySelector<SignIn>("laurel-sign-in")?.refuse(err));
  }

  #leave(): void {
    signOut(this.session);
    this.#log.clear();
    this.session = undefined;
  }

  #turn(): void {
    this.theme = nextTheme(this.theme);
    setTheme(this.theme);
  }

  #go(address: string): void {
    if (address === location.pathname + location.search) return;
    history.pushState(null, "", address);
    this.route = routeOf(location.pathname);
    scrollTo({ top: 0 });
    // Who cannot see that the page is another is told so, by what it is called.
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true }));
  }

  // Links to the console's own pages do not load it anew.
  #click(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
    const address = new URL(link.href);
    if (address.origin !== location.origin || !/^\/console(\/|$)/.test(address.pathname)) return;
    event.preventDefault();
    this.#go(address.pathname + address.search + address.hash);
  }

  protected override render() {
    const { session } = this;
    if (!session) {
      const waiting = kept.get("key") !== null;
      return html`${this.trouble ? html`<main class="main"><p class="notice" role="alert">${this.trouble}</p></main>` : nothing}
        <laurel-sign-in ?hidden=${waiting} .purpose=${"The console needs a secret key of your organisation."} @key=${(e: CustomEvent<string>) => void this.#enter(e.detail, null)}></laurel-sign-in>`;
    }
    const here = this.route.page === "user" ? "users" : this.route.page;
    return html`
      <a class="skip" href="#main">To the content</a>
      <header class="bar">
        <a class="brand" href="/console"><img src=${icon} alt="">Laurel</a>
        <nav aria-label="Console">${pages.map(({ page, name }) => html`<a href=${`/console/${page}`} aria-current=${page === here ? "page" : nothing}>${name}</a>`)}</nav>
        <div class="acts">
          ${this.#orgs(session)}
          <button class="plain" @click=${() => this.#turn()} title=${themes[this.theme]} aria-label=${themes[this.theme]}>${this.theme === "dark" ? "☾" : this.theme === "light" ? "☀" : "◐"}</button>
          <button class="plain" @click=${() => (this.helping = true)} title="Shortcuts" aria-label="Shortcuts">?</button>
          <button class="plain" @click=${() => this.#leave()}>Sign out</button>
        </div>
      </header>
      ${this.lost ? html`<p class="notice offline" role="alert">You are offline. What is shown may be old; it goes on when the network is back.</p>` : nothing}
      <main class="main" id="main" tabindex="-1">${this.#page(session)}</main>
      <laurel-log .log=${this.#log}></laurel-log>
      ${this.helping ? this.#help() : nothing}`;
  }

  #orgs(session: Session) {
    if (session.self.orgs.length === 1) return html`<span class="badge quiet org">${session.org}</span>`;
    return html`<label><span class="sr">Organisation</span><select id="org" @change=${(e: Event) => void this.#enter(session.key, (e.target as HTMLSelectElement).value)}>
      ${session.self.orgs.map((org) => html`<option value=${org} ?selected=${org === session.org}>${org}</option>`)}</select></label>`;
  }

  // A page is an element of its own, made anew for another session and another subject.
  #page(session: Session) {
    const { route } = this;
    const name = `${this.#sessions} ${route.page} ${route.page === "user" ? route.user : ""}`;
    if (this.#shown?.name !== name) this.#shown = { name, element: this.#made(session, route) };
    return this.#shown.element;
  }

  #shown: { name: string; element: HTMLElement | ReturnType<typeof html> } | undefined;

  #made(session: Session, route: Route) {
    if (route.page === "nowhere") return html`<h1>There is no such page</h1><p class="soft">Go to the <a href="/console/users">users</a>.</p>`;
    const element = document.createElement(`laurel-${route.page}`);
    return Object.assign(element, { session, log: this.#log, shortcuts: this.#shortcuts, className: "page", ...(route.page === "user" ? { user: route.user } : {}) });
  }

  #help() {
    return html`
      <dialog aria-labelledby="help" @close=${() => (this.helping = false)}>
        <div class="inside">
          <header><h2 id="help">Shortcuts</h2><form method="dialog"><button class="plain" aria-label="Close">✕</button></form></header>
          <dl class="keys">${this.#shortcuts.all.map(({ key, label }) => html`<div><dt><kbd>${key.toUpperCase()}</kbd></dt><dd>${label}</dd></div>`)}</dl>
          <p class="soft small">They are off while you type.</p>
        </div>
      </dialog>`;
  }

  protected override updated(): void {
    const { route } = this;
    const page = route.page === "user" ? route.user : (pages.find((p) => p.page === route.page)?.name ?? "Nothing here");
    document.title = this.session ? `${page} · ${this.session.org} · Laurel` : "Laurel console";
    const dialog = this.querySelector<HTMLDialogElement>(":scope > dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }
}

setTheme(theme());
takeKeyFromAddress();
customElements.define("laurel-console", Console);
