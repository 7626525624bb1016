import { LxdError } from '@lxd-ts/core';

/** The one place that knows how `remote:name` is written. `local` is the only remote there is. */
export function parseName(text: string): string {
  const colon = text.indexOf(':');
  if (colon < 0) return text;
  const remote = text.slice(0, colon);
  if (remote !== 'local') throw new LxdError('not-found', `The remote "${remote}" doesn't exist`);
  return text.slice(colon + 1);
}

/** The same where a name must be given. */
export function requireName(text: string | undefined, what: string): string {
  const name = parseName(text ?? '');
  if (name === '') throw new LxdError('invalid', `Missing ${what} name`);
  return name;
}

/** `[remote:] rest...`: drops a first word that names a remote and nothing else. */
export function afterRemote(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  if (first === undefined || !/^[^=:/]+:[^=]*$/.test(first)) return args;
  const name = parseName(first);
  return name === '' ? rest : [name, ...rest];
}

/** A path of the API from names that people typed. */
export const apiPath = (...parts: readonly string[]): string =>
  `/1.0/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
