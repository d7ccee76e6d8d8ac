/** A method of a path, as types that openapi-typescript makes of a server's `/openapi.json` have it. */
type Method = "get" | "post" | "put" | "patch" | "delete";

type PathsWith<Paths, M extends Method> = { [P in keyof Paths]: Paths[P] extends { [m in M]: object } ? P : never }[keyof Paths];
type Operation<Paths, P extends keyof Paths, M extends Method> = Paths[P] extends { [m in M]: infer O } ? O : never;
type PathOf<O> = O extends { parameters: { path: infer V } } ? V : undefined;
type QueryOf<O> = O extends { parameters: { query?: infer V } } ? V : undefined;
type BodyOf<O> = O extends { requestBody?: { content: { "application/json": infer V } } } ? V : undefined;
type Good<R> = R extends { 200: infer V } ? V : R extends { 201: infer V } ? V : R extends { 204: infer V } ? V : never;
type AnswerOf<O> = O extends { responses: infer R } ? (Good<R> extends { content: { "application/json": infer V } } ? V : string | undefined) : never;

/** What a request takes: the values for the path's `{…}`, the query, and the body. */
export type RestInput<O> = (PathOf<O> extends undefined ? { readonly path?: never } : { readonly path: PathOf<O> }) & {
  readonly query?: { readonly [name in keyof QueryOf<O>]: QueryOf<O>[name] | undefined };
  readonly body?: BodyOf<O> | undefined;
  /** An AbortSignal. */
  readonly signal?: any;
};

/** The part of fetch that is used, such as surroundings without DOM types can name it. */
export type RestFetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal?: any; credentials: "omit"; cache: "no-store" },
) => Promise<{ readonly ok: boolean; readonly status: number; readonly headers: { get(name: string): string | null }; text(): Promise<string> }>;

/** A request and what became of it, for whoever shows or counts them. The token is not in it. */
export interface Exchange {
  /** From 1, in the order in which they were begun. */
  readonly id: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  /** ms since 1970. */
  readonly began: number;
  /** Absent while the answer is awaited, and where there is none. */
  readonly status?: number;
  readonly answer?: unknown;
  readonly tookMs?: number;
  /** Why there is no answer. */
  readonly error?: string;
}

export interface RestOptions {
  readonly url: string;
  readonly token: string | (() => string | Promise<string>);
  readonly org?: string | undefined;
  readonly fetch?: RestFetch;
  /** Told of each request twice: when it is sent, and when it is over. */
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
}

/** What a server refused (RFC 9457), or, with status 0, that it could not be asked. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  /** Stable: what to switch on. `network` where there is no answer. */
  readonly code: string;
  /** The member of the body, or the parameter, that is at fault. */
  readonly field: string | undefined;

  constructor(status: number, code: string, detail: string, field?: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

/**
 * Requests to a server's REST API. `Paths` are the types that openapi-typescript makes of its `/openapi.json`: paths, parameters, bodies and answers are checked
 * against them. Nothing is repeated: what may be sent again is up to who asks.
 */
export class Rest<Paths> {
  readonly #options: RestOptions;
  #last = 0;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  get<P extends PathsWith<Paths, "get"> & string>(path: P, input: RestInput<Operation<Paths, P, "get">>): Promise<AnswerOf<Operation<Paths, P, "get">>> {
    return this.#call("GET", path, input as RestInput<unknown>);
  }

  post<P extends PathsWith<Paths, "post"> & string>(path: P, input: RestInput<Operation<Paths, P, "post">>): Promise<AnswerOf<Operation<Paths, P, "post">>> {
    return this.#call("POST", path, input as RestInput<unknown>);
  }

  put<P extends PathsWith<Paths, "put"> & string>(path: P, input: RestInput<Operation<Paths, P, "put">>): Promise<AnswerOf<Operation<Paths, P, "put">>> {
    return this.#call("PUT", path, input as RestInput<unknown>);
  }

  patch<P extends PathsWith<Paths, "patch"> & string>(path: P, input: RestInput<Operation<Paths, P, "patch">>): Promise<AnswerOf<Operation<Paths, P, "patch">>> {
    return this.#call("PATCH", path, input as RestInput<unknown>);
  }

  delete<P extends PathsWith<Paths, "delete"> & string>(path: P, input: RestInput<Operation<Paths, P, "delete">>): Promise<AnswerOf<Operation<Paths, P, "delete">>> {
    return this.#call("DELETE", path, input as RestInput<unknown>);
  }

  async #call<Answer>(method: string, template: string, input: RestInput<unknown>): Promise<Answer> {
    const { path: values, query, body, signal } = input as unknown as { path?: object; query?: object; body?: unknown; signal?: any };
    const path = filled(template, values ?? {}) + queryString(query ?? {});
    const exchange: Exchange = { id: ++this.#last, method, path, ...(body === undefined ? {} : { body }), began: Date.now() };
    const began = performance.now();
    const told = (outcome: Partial<Exchange>) => this.#options.onExchange?.({ ...exchange, tookMs: performance.now() - began, ...outcome });
    this.#options.onExchange?.(exchange);
    try {
      const { status, ok, answer } = await this.#send(method, path, body, signal);
      told({ status, answer });
      if (!ok) throw problemOf(status, answer);
      return answer as Answer;
    } catch (err) {
      if (err instanceof Problem) throw err;
      const error = err instanceof Error ? err.message : String(err);
      told({ error });
      if (signal?.aborted) throw err;
      throw new Problem(0, "network", error);
    }
  }

  async #send(method: string, path: string, body: unknown, signal: any): Promise<{ status: number; ok: boolean; answer: unknown }> {
    const { url, token, org } = this.#options;
    const headers: Record<string, string> = { Authorization: `Bearer ${typeof token === "string" ? token : await token()}` };
    if (org) headers["Laurel-Org"] = org;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const init: Parameters<RestFetch>[1] = { method, headers, credentials: "omit", cache: "no-store", ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}) };
    const send: RestFetch = this.#options.fetch ?? ((address, i) => fetch(address, i));
    const answer = await send(url.replace(/\/+$/, "") + path, init);
    const text = await answer.text();
    const json = /\bjson\b/.test(answer.headers.get("Content-Type") ?? "");
    return { status: answer.status, ok: answer.ok, answer: json && text ? (JSON.parse(text) as unknown) : text || undefined };
  }
}

function filled(template: string, values: object): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String((values as Record<string, unknown>)[name]);
    // The address of "." or ".." would be another one.
    return /^\.{1,2}$/.test(value) ? value.replaceAll(".", "%2E") : encodeURIComponent(value);
  });
}

function queryString(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join("&")}`;
}

function problemOf(status: number, answer: unknown): Problem {
  const { code, detail, title, field } = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, string | undefined>;
  return new Problem(status, code ?? "unknown", detail ?? title ?? `The server answered ${status}.`, field);
}
