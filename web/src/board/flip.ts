// FLIP: rows go to their new places at once, and are then shown coming from where they were. What is animated is a transform alone, so that it
// costs no layout.

/** How one row is to come to its place. */
export interface Flight {
  readonly key: string;
  /** From where, in pixels below its place; 0 for a row that only fades in. */
  readonly by: number;
  readonly enters: boolean;
}

/**
 * The flights between two arrangements, given as the rows' tops. A row that stays within half a pixel has none. A row that was not there enters: from where
 * `from` knows that it was, which for a row outside of the window is a place outside of it; and never from further than `reach`, because what comes from far
 * would only flash by.
 */
export function flights(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, reach: number, from?: (key: string) => number | undefined): Flight[] {
  const list: Flight[] = [];
  for (const [key, top] of after) {
    const shown = before.get(key);
    const start = shown ?? from?.(key);
    const by = start === undefined ? 0 : clamp(start - top, -reach, reach);
    if (shown === undefined) list.push({ key, by, enters: true });
    else if (Math.abs(by) > 0.5) list.push({ key, by, enters: false });
  }
  return list;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

export interface FlipOptions {
  readonly durationMs?: number;
  readonly reach?: number;
  readonly from?: (key: string) => number | undefined;
}

/** Whether whoever looks has asked for less motion. */
export function stillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Changes an arrangement and animates it: `change` moves the rows, `rows` names those there are, before and after. Rows that are still on their way go on
 * from where they are seen.
 */
export function flip(rows: () => ReadonlyMap<string, HTMLElement>, change: () => void, options: FlipOptions = {}): void {
  if (stillness()) {
    change();
    return;
  }
  const before = tops(rows());
  change();
  const elements = rows();
  for (const element of elements.values()) flying.get(element)?.cancel();
  const after = tops(elements);
  for (const { key, by, enters } of flights(before, after, options.reach ?? 600, options.from)) {
    const top = after.get(key)!;
    if (Math.max(top, top + by) < -unseen || Math.min(top, top + by) > innerHeight + unseen) continue; // nobody would see it
    const first: Keyframe = { transform: `translateY(${by}px)`, ...(enters ? { opacity: 0 } : {}) };
    const last: Keyframe = { transform: "none", ...(enters ? { opacity: 1 } : {}) };
    const element = elements.get(key)!;
    flying.set(element, element.animate([first, last], { duration: options.durationMs ?? 320, easing: "cubic-bezier(.2,.7,.2,1)" }));
  }
}

const flying = new WeakMap<HTMLElement, Animation>();
const unseen = 100; // pixels, more than a row's height: a row's lower edge may be seen where its upper one is not

function tops(elements: ReadonlyMap<string, HTMLElement>): Map<string, number> {
  const list = new Map<string, number>();
  for (const [key, element] of elements) list.set(key, element.getBoundingClientRect().top);
  return list;
}
