import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume>[/<snapshot>] <new name>[/<snapshot>]',
  arity: [3, 3],
  description: 'Renames a volume, also for the instances that have it; or one of its snapshots.',
  flags: volumeTarget,
  async run(shell, [arg, from = '', to], { target }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const volume = parseVolume(from);
    const { name, snapshot } = parseVolume(to);
    const wanted = volume.snapshot === undefined ? name : (snapshot ?? name);
    await context.change('POST', volumePath(pool, volume), { body: { name: wanted }, query: { target } });
    return notice(`Renamed storage volume from "${from}" to "${wanted}"`);
  },
});
