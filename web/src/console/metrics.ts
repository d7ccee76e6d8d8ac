/** Samples of Prometheus's text format, by name and labels as they are written. */
export type Samples = ReadonlyMap<string, number>;

/** Reads Prometheus's text format as far as it goes: what is no sample is passed over. */
export function parseMetrics(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*(?:\{.*\})?)\s+(\S+)/.exec(line);
    if (!match || line.startsWith("#")) continue;
    const value = Number(match[2]!.replace("Inf", "Infinity"));
    if (!Number.isNaN(value)) samples.set(match[1]!, value);
  }
  return samples;
}

/** The sum of a metric over all its labels; 0 where there is none. */
export function sum(samples: Samples, name: string): number {
  let total = 0;
  for (const [key, value] of samples) if (key === name || key.startsWith(`${name}{`)) total += value;
  return total;
}

/** What a counter grew by a second between two readings. One that began anew, as the server did, counts from 0. */
export function rate(before: number, after: number, seconds: number): number {
  return seconds > 0 ? (after >= before ? after - before : after) / seconds : 0;
}

/** The quantile of what a histogram took in between two readings, in its own unit, as the upper bound of the bucket that it lies in; undefined where nothing came. */
export function quantile(before: Samples, after: Samples, name: string, q: number): number | undefined {
  const buckets: [number, number][] = [];
  for (const [key, value] of after) {
    const bound = key.startsWith(`${name}_bucket{`) ? /le="([^"]+)"/.exec(key)?.[1] : undefined;
    if (bound) buckets.push([Number(bound.replace("+Inf", "Infinity")), value - (before.get(key) ?? 0)]);
  }
  buckets.sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  return total > 0 ? buckets.find(([, count]) => count >= q * total)?.[0] : undefined;
}
