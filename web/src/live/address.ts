/** Which board a live page shows, as its address says. */
export interface Place {
  readonly rule: string;
  readonly period: string;
  /** Whom the page follows. */
  readonly user: string | undefined;
  readonly segment: string | undefined;
  readonly around: boolean;
}

/** Reads `/live/{rule}/{period}?user=&segment=&view=around`; undefined for `/live`, which names no board. */
export function placeOf(pathname: string, search: string): Place | undefined {
  const match = /^\/live\/([^/]+)\/([^/]+)\/?$/.exec(pathname);
  if (!match) return undefined;
  const query = new URLSearchParams(search);
  return {
    rule: decoded(match[1]!),
    period: decoded(match[2]!),
    user: query.get("user") || undefined,
    segment: query.get("segment") || undefined,
    around: query.get("view") === "around",
  };
}

export function addressOf({ rule, period, user, segment, around }: Place): string {
  const query = new URLSearchParams();
  if (user) query.set("user", user);
  if (segment) query.set("segment", segment);
  if (around && user) query.set("view", "around");
  const text = query.toString();
  return `/live/${encodeURIComponent(rule)}/${encodeURIComponent(period)}${text ? `?${text}` : ""}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
