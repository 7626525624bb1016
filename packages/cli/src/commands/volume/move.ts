import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { transferFlags, transferVolume } from './transfer.ts';

export default command({
  usage: '[<remote>:]<pool>/<volume> [<remote>:]<pool>/<volume>',
  arity: [2, 2],
  description:
    'Moves a volume with its snapshots to another pool or server. On one server instances that have it, and do not run, follow.',
  examples: [['storage volume move default/data big/data', 'Into the pool "big"']],
  flags: transferFlags,
  async run(shell, [from, to], { target, mode, ...flags }) {
    const destination = flags['destination-target'];
    await transferVolume(shell, [from, to], { target, destination, mode, volumeOnly: false, move: true });
    return notice('Storage volume moved successfully!');
  },
});
