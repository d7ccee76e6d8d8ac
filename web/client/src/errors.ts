/**
 * What a server refused, or what ended a view or a client. `code` is that of the protocol (`forbidden`, `rule_not_found`, …) or one of this library:
 * `closed` (the client was closed), `token` (the callback for tokens failed), `connect` (no connection could be begun).
 */
export class LaurelError extends Error {
  override readonly name = "LaurelError";
  readonly code: string;
  /** Whether it is the end of what it was told to: of the view, or of the client. */
  readonly final: boolean;

  constructor(code: string, detail: string, final: boolean, options?: { cause?: unknown }) {
    super(`${code}: ${detail}`, options);
    this.code = code;
    this.final = final;
  }
}
