import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { InstanceFull, Server } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import type { Place } from '../../base/shell.ts';
import { changeState, startOrThaw } from './change-state.ts';
import { copyFlags, copyInstance, type CopyFlags } from './copy-instance.ts';
import { rename } from './rename.ts';

/** Flags that mean more than another name. */
const isRename = ({ target, storage, 'target-project': project, ...rest }: CopyFlags): boolean =>
  [target, storage, project].every((value) => value === undefined) &&
  rest.config.length + rest.device.length + rest.profile.length === 0 &&
  !rest['no-profiles'];

/** Within one server (or cluster): the server does it. */
async function moveWithin(context: Context, from: string, name: string, flags: CopyFlags): Promise<void> {
  if (flags.config.length + flags.device.length + flags.profile.length > 0 || flags['no-profiles']) {
    throw new LxdError(
      'invalid',
      'Configuration, devices and profiles change only in a move between servers: set them first',
    );
  }
  if (from.includes('/')) throw new LxdError('invalid', 'A snapshot moves with its instance');
  await context.wait(
    await context.client.change('POST', apiPath('instances', from), {
      query: { target: flags.target },
      body: {
        name,
        migration: true,
        live: !flags.stateless,
        instance_only: flags['instance-only'],
        container_only: flags['instance-only'],
        ...(flags.storage === undefined ? {} : { pool: flags.storage }),
        ...(flags['target-project'] === undefined ? {} : { project: flags['target-project'] }),
      },
    }),
    'Transferring instance',
  );
}

/**
 * Whether a copy can be brought up to date without harm. LXD 5.0 on btrfs loses its hold of one with snapshots: its
 * directory is then neither a copy nor to be deleted.
 */
async function canRefresh({ client }: Context, snapshots: number): Promise<boolean> {
  if (snapshots === 0) return true;
  const { api_extensions: extensions } = await client.get<Server>('/1.0');
  return extensions.some((name) => name.startsWith('lxdts_'));
}

/**
 * To another server. One that runs, and is not to take its state along, is copied while it runs and then stopped for
 * the last difference only (where the target is good at that), and started there. Until its copy is whole the source
 * is what counts: what fails before leaves it as it was.
 */
async function moveBetween(from: Place, to: Place, flags: CopyFlags): Promise<void> {
  const [source, instance] = from;
  const [target, name] = to;
  const path = apiPath('instances', instance);
  const copy = (refresh: boolean): Promise<Place> =>
    copyInstance(from, to, flags, { refresh, ephemeral: undefined, keepVolatile: true });
  /** What changed since the first copy; where the servers cannot do that, all of it again. */
  const copyLast = async (): Promise<void> => {
    try {
      await copy(true);
    } catch (error) {
      if (error instanceof LxdError && error.code === 'cancelled') throw error;
      await target.change('DELETE', apiPath('instances', name));
      await copy(false);
    }
  };
  const found = await source.client.get<InstanceFull>(path, { query: { recursion: 1 } });
  if (found.status !== 'Running' || !flags.stateless) {
    await copy(false);
    await source.change('DELETE', path);
    return;
  }
  // An ephemeral one is gone with its stop: what it wrote last goes with it, as always.
  const early = found.ephemeral || (await canRefresh(target, found.snapshots?.length ?? 0));
  if (early) await copy(false);
  try {
    await changeState(source, instance, { action: 'stop' });
    if (!found.ephemeral) await (early ? copyLast() : copy(false));
  } catch (error) {
    await startOrThaw(source, instance, { action: 'start' }).catch(() => undefined);
    if (early) await target.change('DELETE', apiPath('instances', name)).catch(() => undefined);
    throw error;
  }
  await source.change('DELETE', path).catch(ignoreMissing);
  await changeState(target, name, { action: 'start' });
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof LxdError && error.code === 'not-found') return undefined;
  throw error;
}

export default command({
  usage: '[<remote>:]<instance>[/<snapshot>] [[<remote>:][<new name>[/<snapshot>]]]',
  arity: [1, 2],
  description:
    'Gives a stopped instance another name, or moves it to another server, cluster member or storage pool.',
  examples: [
    ['move c1 web', 'Rename c1 to web'],
    ['move c1 --target node2', 'Move c1 to another member of the cluster'],
    ['move c1 far: --stateless', 'Move c1 to the server "far"'],
    ['move c1 far:web --mode push', 'The same when only "far" can be connected to'],
  ],
  flags: copyFlags,
  async run(shell, [from, to], flags) {
    const [source, instance] = await shell.require(from, 'instance');
    const [target, given] = to === undefined ? [source, ''] : await shell.parse(to);
    const name = given === '' ? instance : given;
    if (source.remote === target.remote) {
      if (isRename(flags)) return rename(source, instance, name);
      await moveWithin(source, instance, name, flags);
      return undefined;
    }
    if (instance.includes('/')) {
      throw new LxdError('invalid', "Snapshots can't be moved between servers: copy them");
    }
    await moveBetween([source, instance], [target, name], flags);
    return undefined;
  },
});
