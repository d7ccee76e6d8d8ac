const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const times = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export const number = (n: number): string => numbers.format(n);
export const date = (at: string): string => dates.format(new Date(at));
export const moment = (at: string): string => moments.format(new Date(at));
export const time = (at: string | number): string => times.format(new Date(at));

const cycles: Record<string, readonly [string, string]> = {
  day: ["Today", "Yesterday"],
  week: ["This week", "Last week"],
  month: ["This month", "Last month"],
  quarter: ["This quarter", "Last quarter"],
  year: ["This year", "Last year"],
};

/** A period as addresses write it, for people: `week` is this week, `week~1` last week, `2026-W47` itself. */
export function periodName(period: string): string {
  if (period === "all") return "All time";
  const [cycle = "", before] = period.split("~");
  const known = cycles[cycle];
  if (!known) return before ? `${cycle}, ${before} before` : cycle;
  if (!before || before === "0") return known[0];
  return before === "1" ? known[1] : `${known[0]}, ${before} before`;
}

/** The first letters of a name, for where there is no picture. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return words.slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/** A picture's address if it is one that may be shown: it comes from a user's profile. */
export function pictureOf(address: string | undefined): string | undefined {
  return address && /^https:\/\//.test(address) ? address : undefined;
}
