import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import type { Shell } from '../../base/shell.ts';

/** What a `config` command is about: an instance (or a snapshot of one), or the server. */
export interface Subject {
  context: Context;
  kind: 'instance' | 'snapshot' | 'server';
  path: string;
}

export async function subjectOf(shell: Shell, text: string | undefined): Promise<Subject> {
  const [context, name] = await shell.parse(text);
  if (name === '') return { context, kind: 'server', path: '/1.0' };
  const [instance = '', snapshot] = name.split('/');
  if (snapshot === undefined) return { context, kind: 'instance', path: apiPath('instances', instance) };
  return { context, kind: 'snapshot', path: apiPath('instances', instance, 'snapshots', snapshot) };
}

/** `[[remote:]<instance>] <rest>...`: whether the first word is one follows from how many there must be after it. */
export async function splitSubject(
  shell: Shell,
  args: readonly string[],
  isSetting: (words: readonly string[]) => boolean,
): Promise<[Subject, readonly string[]]> {
  if (isSetting(args)) return [await subjectOf(shell, undefined), args];
  const [first, ...rest] = args;
  return [await subjectOf(shell, first), rest];
}
