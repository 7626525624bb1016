/** A turn; disposing lets the next one in. */
export type Turn = Disposable;

/** One at a time per name, first come first served. */
export class Lanes {
  readonly #last = new Map<string, Promise<undefined>>();

  async enter(name: string, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    const { promise: done, resolve } = Promise.withResolvers<undefined>();
    const before = this.#last.get(name);
    const mine = (before ?? Promise.resolve(undefined)).then(() => done);
    this.#last.set(name, mine);
    const leave = () => {
      resolve(undefined);
      if (this.#last.get(name) === mine) this.#last.delete(name);
    };
    await before;
    if (signal.aborted) {
      leave();
      signal.throwIfAborted();
    }
    return { [Symbol.dispose]: leave };
  }
}
