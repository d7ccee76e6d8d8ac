import type { components } from "../../api/schema.gen.js";

export type Entry = components["schemas"]["StreakHistory"];

/** A period in a calendar. `entry` is absent before the user's first activity for the streak. */
export interface Cell {
  readonly label: string;
  /** A date in it. */
  readonly date: string;
  readonly entry: Entry | undefined;
}

/** Rows of periods in time's order down and to the right; undefined where there is none to show. Every row has as many columns. */
export interface Grid {
  readonly rows: readonly (readonly (Cell | undefined)[])[];
  /** What stands over the columns: months, each over so many columns. */
  readonly months: readonly { readonly month: string; readonly span: number }[];
  /** Which day of the week the first row is, 0 for Sunday; undefined where rows are no weekdays. */
  readonly firstDay: number | undefined;
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

const dayMs = 86_400_000;
const weeksShown = 53;

export const addDays = (date: string, n: number): string => new Date(Date.parse(date) + n * dayMs).toISOString().slice(0, 10);

const isDate = (label: string): boolean => /^\d{4}-\d\d-\d\d$/.test(label);
const weekday = (date: string): number => new Date(date).getUTCDay();

/** A date in the period of a label: `2026-11-21`, `2026-W47`, `2026-11`, `14d-2026-11-21`. */
export function dateOf(label: string): string {
  const [, year = "", week] = /^(\d{4})-W(\d\d)$/.exec(label) ?? [];
  // The fourth date of week n is one of the seven of the year from 7(n − 1) on, whatever day weeks start on: the middle one of these lies in the week.
  if (week) return addDays(`${year}-01-01`, 7 * (Number(week) - 1) + 3);
  const date = label.replace(/^\d+d-/, "");
  return date.length === 7 ? `${date}-01` : date;
}

/** The first date that a year up to an open period shows. Of days these are whole weeks. */
export function firstShown(open: string, firstDay: number): string {
  const date = dateOf(open);
  const back = isDate(open) ? 7 * (weeksShown - 1) + ((weekday(date) - firstDay + 7) % 7) : 365;
  return addDays(date, -back);
}

/** Lays out the periods of a year up to the open one: days as weeks beside each other, the rest in one row. `entries` are in time's order. */
export function gridOf(entries: readonly Entry[], open: string, firstDay: number): Grid {
  if (!isDate(open)) {
    const cells = entries.map((entry) => ({ label: entry.period, date: dateOf(entry.period), entry }));
    return { rows: [cells], months: monthsOf(cells.map(({ date }) => date)), firstDay: undefined };
  }
  const known = new Map(entries.map((entry) => [entry.period, entry]));
  const first = firstShown(open, firstDay);
  const rows = Array.from({ length: 7 }, (_, row) =>
    Array.from({ length: weeksShown }, (_, column): Cell | undefined => {
      const date = addDays(first, 7 * column + row);
      return date > open ? undefined : { label: date, date, entry: known.get(date) };
    }));
  return { rows, months: monthsOf(rows[0]!.map((_, column) => addDays(first, 7 * column))), firstDay };
}

function monthsOf(dates: readonly string[]): { month: string; span: number }[] {
  const months: { month: string; span: number }[] = [];
  for (const date of dates) {
    const month = date.slice(0, 7);
    const last = months.at(-1);
    if (last?.month === month) last.span++;
    else months.push({ month, span: 1 });
  }
  return months;
}

/** Where the last period is. */
export function lastPlace({ rows }: Grid): Place {
  const column = (rows[0]?.length ?? 1) - 1;
  const filled = rows.map((cells) => cells[column] !== undefined);
  return { row: Math.max(0, filled.lastIndexOf(true)), column };
}

/** Where a period is; undefined where it is not shown. */
export function placeOf({ rows }: Grid, label: string): Place | undefined {
  for (const [row, cells] of rows.entries()) {
    const column = cells.findIndex((cell) => cell?.label === label);
    if (column >= 0) return { row, column };
  }
  return undefined;
}

const jump = 4; // columns that a page is

/** Where a key leads from a period: arrows to the next ones, Home and End along the row, pages by four columns; undefined for other keys. It stays among periods. */
export function moved(grid: Grid, { row, column }: Place, key: string): Place | undefined {
  const { rows } = grid;
  const columns = rows[0]?.length ?? 0;
  // Down from the end of a week is the next day, the beginning of the next one.
  const down = (n: number): Place => {
    const at = column * rows.length + row + n;
    return { row: (at + rows.length) % rows.length, column: Math.floor(at / rows.length) };
  };
  const along = (to: number): Place => ({ row, column: Math.max(0, Math.min(columns - 1, to)) });
  const steps: Record<string, () => Place> = {
    ArrowRight: () => along(column + 1), ArrowLeft: () => along(column - 1), ArrowDown: () => down(1), ArrowUp: () => down(-1),
    Home: () => along(0), End: () => along(columns - 1), PageDown: () => along(column + jump), PageUp: () => along(column - jump),
  };
  const to = steps[key]?.();
  if (!to) return undefined;
  if (rows[to.row]?.[to.column]) return to;
  const back = { row: to.row, column: to.column - 1 }; // a day of the last week that is to come
  return key !== "ArrowDown" && key !== "ArrowUp" && rows[back.row]?.[back.column] ? back : { row, column };
}

/** How much of the target was done in a met period: 1 once, 2 from one and a half times on, 3 from three times on. */
export function heat({ value, target }: { readonly value: number; readonly target: number }): 1 | 2 | 3 {
  const times = target > 0 ? value / target : 1;
  return times >= 3 ? 3 : times >= 1.5 ? 2 : 1;
}
