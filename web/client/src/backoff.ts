const baseMs = 250;
const capMs = 30_000;

/**
 * How long to wait before the attempt after `failures` failed ones: any time up to a bound that doubles. The jitter is full, because clients
 * that lost one server at the same moment must not come back at the same moment.
 */
export function backoff(failures: number, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** failures);
}
