import { LxdError } from '@lxd-ts/core';

interface Clause {
  /** How it joins what is before it. */
  join: 'and' | 'or';
  not: boolean;
  field: string;
  matches: (value: unknown) => boolean;
}

const invalid = (what: string): LxdError => new LxdError('invalid', `Invalid filter: ${what}`);

/** Words, where double quotes keep blanks together. */
function wordsOf(text: string): string[] {
  const words: string[] = text.match(/"[^"]*"|[^\s"]\S*|"/g) ?? [];
  if (words.includes('"')) throw invalid('unterminated quote');
  return words.map((word) => (word.startsWith('"') ? word.slice(1, -1) : word));
}

/** Repeated groups can take for ever to match: such a pattern is taken literally. */
const tooFree = /\)[*+?{]|\\[1-9k]/;

/** The whole value, case ignored, as a regular expression where it is one. */
function patternOf(wanted: string): (text: string) => boolean {
  if (!tooFree.test(wanted) && wanted.length <= 256) {
    try {
      const pattern = new RegExp(`^(?:${wanted})$`, 'i');
      return (text) => pattern.test(text);
    } catch {
      // Not a regular expression.
    }
  }
  return (text) => text.toLowerCase() === wanted.toLowerCase();
}

function clauseOf(words: string[], join: Clause['join']): Clause {
  let field = words.shift() ?? '';
  const not = field.toLowerCase() === 'not';
  if (not) field = words.shift() ?? '';
  const operator = words.shift()?.toLowerCase();
  if (operator === undefined) throw invalid('clause has no operator');
  if (operator !== 'eq' && operator !== 'ne') throw invalid(`unknown operator "${operator}"`);
  const wanted = words.shift();
  if (wanted === undefined) throw invalid('clause has no value');
  const pattern = patternOf(wanted);
  const equals = (value: unknown) =>
    ['string', 'number', 'boolean'].includes(typeof value) && pattern(String(value));
  return { join, not, field, matches: operator === 'eq' ? equals : (value) => !equals(value) };
}

/** `config.image.os`: keys may have dots themselves, so the longest that is there is taken. */
function valueOf(object: unknown, path: string): unknown {
  if (typeof object !== 'object' || object === null) return undefined;
  const fields = object as Record<string, unknown>;
  if (Object.hasOwn(fields, path)) return fields[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(fields, head)) return valueOf(fields[head], path.slice(dot + 1));
  }
  return undefined;
}

/**
 * LXD's filter language: `field eq|ne value`, `not`, joined by `and` and `or` from left to right.
 * @param text null or empty: everything passes
 * @throws LxdError `invalid`
 */
export function parseFilter(text: string | null): (object: unknown) => boolean {
  const words = wordsOf(text ?? '');
  const clauses: Clause[] = [];
  let join: Clause['join'] = 'and';
  while (words.length > 0) {
    clauses.push(clauseOf(words, join));
    const next = words.shift()?.toLowerCase();
    if (next === undefined) break;
    if (next !== 'and' && next !== 'or') throw invalid('invalid clause composition');
    if (words.length === 0) throw invalid('unterminated compound clause');
    join = next;
  }
  return (object) =>
    clauses.reduce((passes, { join: by, not, field, matches }) => {
      const here = matches(valueOf(object, field)) !== not;
      return by === 'and' ? passes && here : passes || here;
    }, true);
}
