import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume>[/<snapshot>]',
  arity: [2, 2],
  description: 'Deletes a volume that nothing uses, with its snapshots; or one snapshot.',
  flags: volumeTarget,
  async run(shell, [arg, volume = ''], { target }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    await context.change('DELETE', volumePath(pool, parseVolume(volume)), { query: { target } });
    return notice(`Storage volume ${volume} deleted`);
  },
});
