/** Makes the children of a parent those given, in that order, and moves few of them: what stays where it is keeps its focus. */
export function arrange(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next: Element | null = parent.firstElementChild;
  for (const child of children) {
    if (child === next) {
      next = next.nextElementSibling;
    } else if (next?.nextElementSibling === child) {
      // One row has sunk: it alone moves, and not all those that rose by one. It finds its place when its turn comes.
      parent.append(next);
      next = child.nextElementSibling;
    } else {
      parent.insertBefore(child, next);
    }
  }
}
