import { LxdError } from '@lxd-ts/core';

/** The columns that letters stand for, in their order; commas between them mean nothing. @throws LxdError `invalid` */
export function chooseColumns<T>(columns: Readonly<Record<string, T>>, letters: string): T[] {
  return Array.from(letters.replaceAll(',', ''), (letter) => {
    const column = columns[letter];
    if (!column) throw new LxdError('invalid', `Unknown column shorthand char '${letter}' in '${letters}'`);
    return column;
  });
}
