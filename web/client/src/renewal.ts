const leadMs = 60_000;
const leastMs = 1_000;

/**
 * How long to wait before the next token is fetched, when this one has `remaining` ms left; undefined: it is too late, the server will close. A minute
 * ahead, or half of what is left; so a callback that fails is called again, and again sooner.
 */
export function renewIn(remaining: number): number | undefined {
  return remaining < leastMs ? undefined : remaining - Math.min(leadMs, remaining / 2);
}
