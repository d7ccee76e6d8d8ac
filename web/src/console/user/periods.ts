import { number } from "../../shared/text.js";
import { dateOf, type Cell } from "./calendar.js";

// Labels are local dates: they are written out as they are, in no zone.
const inUTC = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" });
const days = inUTC({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dates = inUTC({ day: "numeric", month: "long", year: "numeric" });
const months = inUTC({ month: "long", year: "numeric" });
const shortMonths = inUTC({ month: "short" });
const weekdays = inUTC({ weekday: "short" });

/** A period's label, for people. */
export function labelName(label: string): string {
  const at = new Date(dateOf(label));
  const [, many] = /^(\d+)d-/.exec(label) ?? [];
  if (many) return `${many} days from ${dates.format(at)}`;
  const [, year = "", week] = /^(\d{4})-W(\d\d)$/.exec(label) ?? [];
  if (week) return `Week ${Number(week)} of ${year}`;
  return label.length === 7 ? months.format(at) : days.format(at);
}

export const monthName = (month: string): string => shortMonths.format(new Date(`${month}-01`));

/** The name of a day of the week, 0 for Sunday. */
export const weekdayName = (day: number): string => weekdays.format(new Date(Date.UTC(2023, 0, 1 + day)));

/** What each status is called, and what it means. */
export const statuses = {
  met: "Met: the target, 1.5 times, 3 times",
  frozen: "Frozen: a freeze covered it",
  paused: "Paused",
  restored: "Restored",
  missed: "Missed",
  open: "Open: it can still be met",
  inactive: "Not required",
} as const;

export type Status = keyof typeof statuses;

/** A period of a calendar, in words. */
export function cellName({ label, entry }: Cell): string {
  if (!entry) return `${labelName(label)}: before the first activity`;
  const word = statuses[entry.status].split(":")[0]!.toLowerCase();
  return `${labelName(label)}: ${word}, ${number(entry.value)} of ${number(entry.target)}`;
}

const units: Record<string, readonly [string, string]> = { day: ["day", "days"], week: ["week", "weeks"], month: ["month", "months"] };

/** So many periods of a unit, in words. */
export function lengthName(n: number, unit: string): string {
  const [one, many] = units[unit] ?? ["period", "periods"];
  return n === 1 ? one : many;
}

/** The instant in a zone as the server names it; in UTC where this browser does not know that one. */
export function inZone(at: string, zone: string): string {
  return formatOf(zone)[0].format(new Date(at));
}

/** The instant in a zone, and which one that is. */
export function zoned(at: string, zone: string): string {
  const [format, name] = formatOf(zone);
  return `${format.format(new Date(at))} (${name})`;
}

function formatOf(zone: string): readonly [Intl.DateTimeFormat, string] {
  const options = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" } as const;
  try {
    return [new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone }), zone];
  } catch {
    return [new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" }), "UTC"];
  }
}

/** The day that weeks begin with here, 0 for Sunday. */
export function firstWeekday(): number {
  const locale = new Intl.Locale(navigator.language) as Intl.Locale & { getWeekInfo?: () => { firstDay: number }; weekInfo?: { firstDay: number } };
  return (locale.getWeekInfo?.() ?? locale.weekInfo ?? { firstDay: 1 }).firstDay % 7;
}
