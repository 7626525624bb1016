import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { transferVolume } from './transfer.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool>/<volume>[/<snapshot>] [<remote>:]<pool>/<volume>',
  arity: [2, 2],
  description:
    'Makes a copy of a volume with its snapshots, or of one snapshot, in the same or another pool.',
  examples: [['storage volume copy default/data big/data', 'A copy in the pool "big"']],
  flags: { ...volumeTarget, 'volume-only': { kind: 'boolean', help: 'Without its snapshots' } },
  async run(shell, [from, to], { target, ...flags }) {
    await transferVolume(shell, [from, to], { target, volumeOnly: flags['volume-only'], move: false });
    return notice('Storage volume copied successfully!');
  },
});
