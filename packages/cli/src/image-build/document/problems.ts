import { LxdError } from '@lxd-ts/core';

/** The way to a field, from the top of a document. */
export type FieldPath = readonly (string | number)[];

export const fieldName = (path: FieldPath): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');

/** What is wrong with a document: all of it, so that it can be put right at once. */
export class Problems {
  readonly #found: { path: FieldPath; message: string }[] = [];

  /** @param message what would be right */
  add(path: FieldPath, message: string): void {
    this.#found.push({ path, message });
  }

  /** @param lineOf of a field; @throws LxdError `invalid` if there was anything */
  check(file: string, lineOf: (path: FieldPath) => number | undefined): void {
    if (this.#found.length === 0) return;
    const found = this.#found.map((one) => ({ ...one, line: lineOf(one.path) }));
    found.sort((one, other) => (one.line ?? Infinity) - (other.line ?? Infinity) || 0);
    const lines = found.map(({ path, message, line }) => {
      const field = path.length === 0 ? '' : `${fieldName(path)}: `;
      return `${file}${line === undefined ? '' : `:${line}`}: ${field}${message}`;
    });
    throw new LxdError('invalid', lines.join('\n'));
  }
}
