import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';

/** An instance, or a snapshot within its instance. */
export async function rename(context: Context, from: string, to: string): Promise<undefined> {
  const [instance = '', snapshot] = from.split('/');
  const [newInstance = '', newSnapshot] = to.split('/');
  if (snapshot === undefined) {
    if (newSnapshot !== undefined) throw new LxdError('invalid', 'Invalid new instance name');
    await context.change('POST', apiPath('instances', instance), { body: { name: to } });
    return undefined;
  }
  if (newSnapshot === undefined || newInstance !== instance) {
    throw new LxdError('invalid', 'A snapshot is renamed within its instance: <instance>/<new name>');
  }
  await context.change('POST', apiPath('instances', instance, 'snapshots', snapshot), {
    body: { name: newSnapshot },
  });
  return undefined;
}

export default command({
  usage: '[<remote>:]<instance>[/<snapshot>] <instance>[/<snapshot>]',
  arity: [2, 2],
  description: 'Gives a stopped instance, or a snapshot, another name.',
  examples: [
    ['rename c1 web', 'Rename c1 to web'],
    ['rename c1/snap0 c1/before-upgrade', 'Rename a snapshot'],
  ],
  async run(shell, [from, to]) {
    const [context, name] = await shell.require(from, 'instance');
    return rename(context, name, await context.name(to, 'instance'));
  },
});
