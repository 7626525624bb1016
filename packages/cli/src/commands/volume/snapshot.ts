import { command } from '../../base/command.ts';
import { deleteIfThere } from '../../base/delete-if-there.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

/** LXD's way to say "never" where saying nothing means "as configured". */
const never = '0001-01-01T00:00:00Z';

export default command({
  usage: '[<remote>:]<pool> <volume> [<snapshot>]',
  arity: [2, 3],
  description: 'Keeps the content of a volume under a name, to come back to or to copy from.',
  examples: [
    ['storage volume snapshot default data before-upgrade', 'Keep it as it is now'],
    ['storage volume snapshot default data nightly --reuse', 'Instead of the one that has this name'],
  ],
  flags: {
    ...volumeTarget,
    'no-expiry': { kind: 'boolean', help: 'Keep it for ever, whatever snapshots.expiry says' },
    reuse: { kind: 'boolean', help: 'Replace a snapshot of the same name' },
  },
  async run(shell, [arg, volume, name = ''], flags) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const path = `${volumePath(pool, parseVolume(volume))}/snapshots`;
    const query = { target: flags.target };
    if (flags.reuse && name !== '')
      await deleteIfThere(context, `${path}/${encodeURIComponent(name)}`, query);
    await context.change('POST', path, {
      body: { name, ...(flags['no-expiry'] ? { expires_at: never } : {}) },
      query,
    });
    return undefined;
  },
});
