import { abortable } from '@lxd-ts/core';

/** A fixed number of things, each lent to one at a time, first come first served. */
export class Pool<T> {
  readonly #free: T[];
  readonly #waiting: ((item: T) => void)[] = [];

  constructor(items: readonly T[]) {
    this.#free = [...items];
  }

  async lend<R>(signal: AbortSignal, work: (item: T) => Promise<R>): Promise<R> {
    const item = this.#free.pop() ?? (await this.#wait(signal));
    try {
      return await work(item);
    } finally {
      this.#giveBack(item);
    }
  }

  async #wait(signal: AbortSignal): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    try {
      return await abortable(promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      else this.#giveBack(await promise);
      throw error;
    }
  }

  #giveBack(item: T): void {
    const next = this.#waiting.shift();
    if (next) next(item);
    else this.#free.push(item);
  }
}
