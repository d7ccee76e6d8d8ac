/** What a key does, and how help names it. */
export interface Shortcut {
  /** As KeyboardEvent.key has it. */
  readonly key: string;
  readonly label: string;
  readonly run: () => void;
}

/**
 * The single-key shortcuts of whatever is shown. They are off while typing, while a dialog is open, and with a modifier, which belongs to the browser. What was
 * added last goes first, so that a page may take a key from the frame around it.
 */
export class Shortcuts {
  readonly #lists: (readonly Shortcut[])[] = [];

  /** Adds some, until the function that is returned is called. */
  add(list: readonly Shortcut[]): () => void {
    this.#lists.unshift(list);
    return () => {
      const at = this.#lists.indexOf(list);
      if (at >= 0) this.#lists.splice(at, 1);
    };
  }

  /** Those in force, for help. */
  get all(): readonly Shortcut[] {
    const seen = new Set<string>();
    return this.#lists.flat().filter(({ key }) => !seen.has(key.toLowerCase()) && seen.add(key.toLowerCase()));
  }

  /** Does what a key press asks for. */
  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event)) return;
    const found = this.all.find(({ key }) => key.toLowerCase() === event.key.toLowerCase());
    if (!found) return;
    event.preventDefault();
    found.run();
  }
}

function typing(event: KeyboardEvent): boolean {
  const at = event.composedPath()[0];
  if (!(at instanceof Element)) return false;
  return at.closest("input, textarea, select, [contenteditable=true]") !== null || document.querySelector("dialog[open]") !== null;
}
