// The arithmetic of a streak's calendar, beside a model that walks from day to day.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, dateOf, firstShown, gridOf, heat, lastPlace, moved, placeOf, type Entry, type Grid } from "../src/console/user/calendar.js";
import { Random } from "./random.js";

const entry = (period: string, status: Entry["status"] = "met", value = 1): Entry => ({ period, status, value, target: 1 });

/** The dates of some years, as a calendar on the wall has them. */
function* days(from: number, to: number): Generator<{ date: string; weekday: number; ofYear: number; year: number }> {
  const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  let weekday = 6; // 1 January 2000 was a Saturday
  for (let year = 2000; year <= to; year++) {
    let ofYear = 0;
    const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
    for (const [month, length] of lengths.entries()) {
      for (let day = 1; day <= length + (month === 1 && leap ? 1 : 0); day++) {
        const date = `${year}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
        if (year >= from) yield { date, weekday, ofYear, year };
        weekday = (weekday + 1) % 7;
        ofYear++;
      }
    }
  }
}

test("a date in a period: of a week one that lies in it, whatever day weeks start on", () => {
  assert.deepEqual(["2026-11-21", "2026-11", "14d-2026-11-21"].map(dateOf), ["2026-11-21", "2026-11-01", "2026-11-21"]);
  const all = [...days(2019, 2032)];
  for (let weekStart = 0; weekStart < 7; weekStart++) {
    const weeks = new Map<string, string[]>(); // label → its dates: the fourth one says of which year, and which of its weeks
    for (let i = 0; i + 6 < all.length; i++) {
      if (all[i]!.weekday !== weekStart) continue;
      const fourth = all[i + 3]!;
      weeks.set(`${fourth.year}-W${String(Math.floor(fourth.ofYear / 7) + 1).padStart(2, "0")}`, all.slice(i, i + 7).map(({ date }) => date));
    }
    for (const [label, dates] of weeks) assert.ok(dates.includes(dateOf(label)), `${label} of weeks from ${weekStart}: ${dateOf(label)} is not one of ${dates.join()}`);
  }
});

test("a year of days: each date once, under its weekday, in its week, up to the open one", () => {
  const random = new Random();
  const all = [...days(2022, 2029)];
  for (let i = 0; i < 200; i++) {
    const at = 400 + random.below(all.length - 400);
    const [open, firstDay] = [all[at]!, random.below(7)];
    const known = all.slice(at - random.below(400), at + 1).map(({ date }) => entry(date));
    const grid = gridOf(known, open.date, firstDay);
    const what = `seed ${random.seed}: ${open.date}, weeks from ${firstDay}`;
    assert.equal(grid.rows.length, 7, what);
    const shown: string[] = [];
    for (let column = 0; column < 53; column++) for (let row = 0; row < 7; row++) {
      const cell = grid.rows[row]![column];
      if (!cell) continue;
      shown.push(cell.date);
      assert.equal(all.find(({ date }) => date === cell.date)!.weekday, (firstDay + row) % 7, what);
      assert.equal(cell.entry, known.find(({ period }) => period === cell.date), what);
    }
    assert.deepEqual(shown, all.slice(at + 1 - shown.length, at + 1).map(({ date }) => date), what);
    assert.ok(shown.length > 52 * 7 && shown.length <= 53 * 7, `${what}: ${shown.length} days`);
    assert.equal(shown[0], firstShown(open.date, firstDay), what);
    assert.equal(grid.months.reduce((sum, { span }) => sum + span, 0), 53, what);
    let column = 0;
    for (const { month, span } of grid.months) {
      for (let k = 0; k < span; k++) assert.ok(addDays(shown[0]!, 7 * (column + k)).startsWith(month), what);
      column += span;
    }
    assert.deepEqual(lastPlace(grid), placeOf(grid, open.date), what);
  }
});

test("weeks, months and windows of days stand in one row, as they come", () => {
  const weeks = ["2025-W51", "2025-W52", "2026-W01", "2026-W02"].map((label) => entry(label));
  const grid = gridOf(weeks, "2026-W02", 1);
  assert.deepEqual(grid.rows.map((cells) => cells.map((cell) => cell?.label)), [weeks.map(({ period }) => period)]);
  assert.deepEqual(grid.months, [{ month: "2025-12", span: 2 }, { month: "2026-01", span: 2 }]);
  assert.equal(grid.firstDay, undefined);
  assert.equal(firstShown("2026-03", 1), "2025-03-01");
  assert.equal(firstShown("14d-2026-11-21", 1), "2025-11-21");
  assert.deepEqual(gridOf([], "2026-W02", 1).rows, [[]]);
});

test("keys lead to the neighbours, and never to where no period is", () => {
  const random = new Random();
  const keys = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"];
  for (let i = 0; i < 50; i++) {
    const open = addDays("2026-01-01", random.below(800));
    const grid: Grid = random.below(3) ? gridOf([], open, random.below(7)) : gridOf(Array.from({ length: 1 + random.below(20) }, (_, k) => entry(addDays("2026-01-01", 14 * k).replace(/^/, "14d-"))), "14d-2026-11-21", 1);
    let place = lastPlace(grid);
    for (let step = 0; step < 200; step++) {
      const key = keys[random.below(keys.length)]!;
      const before = grid.rows[place.row]![place.column]!;
      place = moved(grid, place, key)!;
      const after = grid.rows[place.row]?.[place.column];
      const what = `seed ${random.seed}: ${key} from ${before.label}`;
      assert.ok(after, what);
      const passed = (Date.parse(after.date) - Date.parse(before.date)) / 86_400_000;
      const [day, week] = grid.rows.length === 7 ? [1, 7] : [14, 14];
      const wanted = { ArrowDown: day, ArrowUp: -day, ArrowRight: week, ArrowLeft: -week }[key];
      if (wanted !== undefined && passed !== 0) assert.equal(passed, wanted, what);
      if (passed === 0 && (key === "ArrowUp" || key === "ArrowLeft")) assert.ok(place.column === 0, `${what}: only the first stay`);
    }
  }
  assert.equal(moved(gridOf([], "2026-01-01", 1), { row: 0, column: 0 }, "a"), undefined);
});

test("the more of the target was done, the hotter", () => {
  assert.deepEqual([[1, 1], [1.4, 1], [3, 2], [8, 3], [3, 1], [90, 30], [0, 0]].map(([value, target]) => heat({ value: value!, target: target! })), [1, 1, 2, 2, 3, 3, 1]);
});
