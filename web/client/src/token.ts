/** When a token ends, in ms since 1970, if it is a JWT that says so. Nothing is verified: it is the server that decides. */
export function expiry(token: string): number | undefined {
  const payload = token.split(".")[1];
  if (!payload) return undefined;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const exp = claims !== null && typeof claims === "object" && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined; // not a JWT
  }
}

const leadMs = 60_000;
const leastMs = 1_000;

/**
 * How long to wait before the next token is fetched, of one that has `remaining` ms left; undefined: it is too late, the server will close. A minute
 * ahead, or half of what is left; so a callback that fails is called again, and again sooner.
 */
export function renewIn(remaining: number): number | undefined {
  return remaining < leastMs ? undefined : remaining - Math.min(leadMs, remaining / 2);
}
