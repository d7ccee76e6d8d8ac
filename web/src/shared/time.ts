const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A time that is left, in at most two units: `2 d 4 h`, `3 min 20 s`, as the locale writes it. Nothing is left of what is over. */
export function left(ms: number, locale: string | undefined, display: "narrow" | "long" = "narrow"): string {
  const rest = Math.max(0, Math.ceil(ms / second) * second);
  const units: [Intl.NumberFormatOptions["unit"] & string, number][] = [["day", day], ["hour", hour], ["minute", minute], ["second", second]];
  const at = Math.max(0, units.findIndex(([, size]) => rest >= size));
  const largest = rest < second ? units.length - 1 : at;
  const parts = units.slice(largest, largest + 2).map(([unit, size], i) => {
    const n = Math.floor((i === 0 ? rest : rest % units[largest]![1]) / size);
    return { n, text: new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: display }).format(n) };
  });
  return parts.filter(({ n }, i) => n > 0 || i === 0).map(({ text }) => text).join(" ");
}

/** When `left` next says something else. */
export function nextTick(ms: number): number {
  const unit = ms > day ? hour : ms > hour ? minute : second;
  return Math.max(50, ms % unit || unit);
}
