import { command } from '../../base/command.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

/** LXD's way to say "never" where saying nothing means "as configured". */
const never = '0001-01-01T00:00:00Z';

export default command({
  usage: '[<remote>:]<pool> <volume> [<snapshot>]',
  arity: [2, 3],
  description: 'Keeps the content of a volume under a name, to come back to or to copy from.',
  examples: [['storage volume snapshot default data before-upgrade', 'Keep it as it is now']],
  flags: {
    ...volumeTarget,
    'no-expiry': { kind: 'boolean', help: 'Keep it for ever, whatever snapshots.expiry says' },
  },
  async run(shell, [arg, volume, name = ''], flags) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    await context.change('POST', `${volumePath(pool, parseVolume(volume))}/snapshots`, {
      body: { name, ...(flags['no-expiry'] ? { expires_at: never } : {}) },
      query: { target: flags.target },
    });
    return undefined;
  },
});
