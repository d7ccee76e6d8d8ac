/** The rows from `first` up to and without `end`. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/**
 * Which of `total` rows of one height are to be in the page, where those from `top` (pixels below the first row's upper edge, negative above it) to
 * `top + height` are seen: these, and `spare` more on either side.
 */
export function windowOf(top: number, height: number, rowHeight: number, total: number, spare: number): Span {
  const seen = Math.floor(top / rowHeight);
  const end = Math.ceil((top + Math.max(0, height)) / rowHeight);
  const first = Math.min(Math.max(0, seen - spare), total);
  return { first, end: Math.max(first, Math.min(total, end + spare)) };
}
