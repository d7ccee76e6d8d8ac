type Listener<T> = (value: T) => void;

/** Typed events: `Events` maps names to what listeners are passed. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Calls the listener at each such event from now on, until the function that is returned is called. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const list = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, list);
    const own: Listener<Events[Name]> = (value) => listener(value); // a listener that is added twice is called twice
    list.add(own);
    return () => void list.delete(own);
  }

  /** @internal A listener that throws is reported as an uncaught error is, and holds up neither the others nor the connection. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<Events[Name]>[]) {
      try {
        listener(value);
      } catch (err) {
        queueMicrotask(() => {
          throw err;
        });
      }
    }
  }
}
