import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { transferVolume } from './transfer.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool>/<volume> [<remote>:]<pool>/<volume>',
  arity: [2, 2],
  description:
    'Moves a volume with its snapshots to another pool. Instances that have it, and do not run, follow.',
  examples: [['storage volume move default/data big/data', 'Into the pool "big"']],
  flags: volumeTarget,
  async run(shell, [from, to], { target }) {
    await transferVolume(shell, [from, to], { target, volumeOnly: false, move: true });
    return notice('Storage volume moved successfully!');
  },
});
