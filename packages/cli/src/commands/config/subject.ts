import { apiPath, parseName } from '../../base/names.ts';

/** What a `config` command is about: an instance (or a snapshot of one), or the server. */
export interface Subject {
  kind: 'instance' | 'snapshot' | 'server';
  path: string;
}

export function subjectOf(text: string | undefined): Subject {
  const name = parseName(text ?? '');
  if (name === '') return { kind: 'server', path: '/1.0' };
  const [instance = '', snapshot] = name.split('/');
  if (snapshot === undefined) return { kind: 'instance', path: apiPath('instances', instance) };
  return { kind: 'snapshot', path: apiPath('instances', instance, 'snapshots', snapshot) };
}

/** `[<instance>] <rest>...`: whether the first word is an instance follows from how many there must be after it. */
export function splitSubject(
  args: readonly string[],
  isSetting: (words: readonly string[]) => boolean,
): [Subject, readonly string[]] {
  if (isSetting(args)) return [subjectOf(undefined), args];
  const [first, ...rest] = args;
  return [subjectOf(first), rest];
}
