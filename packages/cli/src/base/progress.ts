import type { Writable } from 'node:stream';

/** One line of a terminal, written over and over, gone at the end. */
export class Progress implements Disposable {
  readonly enabled: boolean;
  readonly #stream: Writable;
  readonly #label: string;
  #shown = '';

  constructor(stream: Writable, enabled: boolean, label: string) {
    this.#stream = stream;
    this.enabled = enabled;
    this.#label = label;
  }

  update(text: string): void {
    if (!this.enabled) return;
    const line = [this.#label, text].filter((part) => part !== '').join(': ');
    if (line === this.#shown) return;
    this.#stream.write(`\r${line.padEnd(this.#shown.length)}`);
    this.#shown = line;
  }

  [Symbol.dispose](): void {
    if (this.#shown !== '') this.#stream.write(`\r${' '.repeat(this.#shown.length)}\r`);
    this.#shown = '';
  }
}
