import { LxdError } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { lineReader } from '../../base/io.ts';
import { apiPath } from '../../base/names.ts';
import { changeState } from './change-state.ts';

async function confirm(context: Context, name: string): Promise<void> {
  const reader = lineReader(context.io);
  const answer = await reader.ask(`Remove ${name} (yes/no): `);
  reader.close();
  if (!/^y(es)?$/i.test(answer ?? '')) throw new LxdError('cancelled', 'User aborted delete operation');
}

async function remove(context: Context, name: string, force: boolean): Promise<void> {
  const [instance = '', snapshot] = name.split('/');
  if (snapshot !== undefined) {
    await context.change('DELETE', apiPath('instances', instance, 'snapshots', snapshot));
    return;
  }
  const { status, ephemeral } = await context.client.get<Instance>(apiPath('instances', name));
  if (status !== 'Stopped' && status !== 'Error') {
    if (!force) {
      throw new LxdError('invalid', 'The instance is currently running, stop it first or pass --force');
    }
    await changeState(context, name, { action: 'stop', force: true });
    // It deletes itself when it stops.
    if (ephemeral) return;
  }
  await context.change('DELETE', apiPath('instances', name));
}

export default command({
  usage: '[<remote>:]<instance>[/<snapshot>]...',
  arity: [1, Infinity],
  description: 'Deletes instances and snapshots for good.',
  examples: [
    ['delete c1', 'Delete c1, which is stopped'],
    ['delete -f c1 c2', 'Delete c1 and c2 even if they run'],
  ],
  flags: {
    force: { kind: 'boolean', short: 'f', help: 'Stop running instances first' },
    interactive: { kind: 'boolean', short: 'i', help: 'Ask before each' },
  },
  async run(shell, args, { force, interactive }) {
    for (const arg of args) {
      const [context, name] = await shell.require(arg, 'instance');
      if (interactive) await confirm(context, name);
      await remove(context, name, force);
    }
    return undefined;
  },
});
