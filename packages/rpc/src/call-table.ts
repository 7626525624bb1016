import { LxdError } from '@lxd-ts/core';

interface Waiting {
  settle: PromiseWithResolvers<unknown>;
  onProgress: ((progress: Record<string, string>) => void) | undefined;
}

/** Calls that wait for their answer, by number. */
export class CallTable {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  open(onProgress?: Waiting['onProgress']): { id: number; answer: Promise<unknown> } {
    this.#last = (this.#last + 1) >>> 0;
    const settle = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#last, { settle, onProgress });
    return { id: this.#last, answer: settle.promise };
  }

  progress(id: number, value: string): void {
    this.#waiting.get(id)?.onProgress?.(JSON.parse(value) as Record<string, string>);
  }

  resolve(id: number, value: string): void {
    const waiting = this.#take(id);
    waiting?.settle.resolve(value === '' ? undefined : JSON.parse(value));
  }

  reject(id: number, error: Error): void {
    this.#take(id)?.settle.reject(error);
  }

  /** The other side is gone. */
  rejectAll(why: string): void {
    for (const id of [...this.#waiting.keys()]) this.reject(id, new LxdError('unavailable', why));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
