import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** `/sys` and `/proc`, or what stands for them in a test. What is not there reads as nothing. */
export class Tree {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  text(...path: string[]): Promise<string> {
    return readFile(join(this.#root, ...path), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  }

  bytes(...path: string[]): Promise<Buffer> {
    return readFile(join(this.#root, ...path)).catch(() => Buffer.alloc(0));
  }

  /** Decimal, or hexadecimal after `0x`. */
  async number(path: readonly string[], otherwise = 0): Promise<number> {
    const text = await this.text(...path);
    const value = text === '' ? NaN : Number(text);
    return Number.isFinite(value) ? value : otherwise;
  }

  /** Names, sorted as numbers where they hold some. */
  async list(...path: string[]): Promise<string[]> {
    const names = await readdir(join(this.#root, ...path)).catch(() => []);
    return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  async exists(...path: string[]): Promise<boolean> {
    return (await this.real(...path)) !== '';
  }

  /** Where a link leads; '': nowhere. */
  real(...path: string[]): Promise<string> {
    return realpath(join(this.#root, ...path)).catch(() => '');
  }

  /** The last part of where a link leads. */
  async target(...path: string[]): Promise<string> {
    return basename(await this.real(...path));
  }
}

/** Without what is empty, as LXD leaves it out. */
export const filled = <T extends Record<string, unknown>>(values: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== '' && value !== 0 && value !== undefined),
  ) as Partial<T>;
