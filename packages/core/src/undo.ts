import { toLxdError } from './errors.ts';

/**
 * Steps that take back what was done, run last first unless `disarm` was called:
 *
 *     await using undo = new Undo();
 *     await makeVolume(); undo.push(() => deleteVolume());
 *     …
 *     undo.disarm();
 */
export class Undo implements AsyncDisposable {
  #steps: (() => unknown)[] = [];
  readonly #onError: (error: Error) => void;

  /** @param onError hears of a step that failed; the others still run. */
  constructor(onError: (error: Error) => void = () => undefined) {
    this.#onError = onError;
  }

  push(step: () => unknown): void {
    this.#steps.push(step);
  }

  disarm(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.#onError(toLxdError(error));
      }
    }
  }
}
