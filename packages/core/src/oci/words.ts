import { LxdError } from '../errors.ts';

/**
 * A command as its words, quoted as for a shell: nothing is expanded.
 * @throws LxdError `invalid` where a quotation has no end
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw new LxdError('invalid', `A quotation has no end: ${text.slice(at)}`);
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (sign === '"') {
      word ??= '';
      const begin = at;
      for (at += 1; text[at] !== '"'; at++) {
        if (text[at] === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) at += 1;
        if (at >= text.length) throw new LxdError('invalid', `A quotation has no end: ${text.slice(begin)}`);
        word += text[at] ?? '';
      }
    } else if (sign === '\\') {
      at += 1;
      if (at >= text.length) throw new LxdError('invalid', 'A backslash at the end stands for nothing');
      word = (word ?? '') + (text[at] ?? '');
    } else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + sign;
  }
  if (word !== undefined) words.push(word);
  return words;
}

const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** What `splitWords` takes apart again. */
export const joinWords = (words: readonly string[]): string => words.map(quote).join(' ');
