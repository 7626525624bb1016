import { LxdError } from '@lxd-ts/core';

/** `key=value` words as a map. Values may hold `=`. */
export function parseKeyValues(words: readonly string[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new LxdError('invalid', `Invalid key=value configuration: ${word}`);
    result[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return result;
}

/** The same, or the older form of two words: `key value`. */
export function parseSettings(words: readonly string[]): Record<string, string> {
  const [key, value] = words;
  if (words.length === 2 && key !== undefined && value !== undefined && !key.includes('='))
    return { [key]: value };
  return parseKeyValues(words);
}
