import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { transferFlags, transferVolume } from './transfer.ts';

export default command({
  usage: '[<remote>:]<pool>/<volume>[/<snapshot>] [<remote>:]<pool>/<volume>',
  arity: [2, 2],
  description:
    'Makes a copy of a volume with its snapshots, or of one snapshot, in any pool; of a volume also on another server.',
  examples: [
    ['storage volume copy default/data big/data', 'A copy in the pool "big"'],
    ['storage volume copy default/data far:default/data', 'A copy on the server "far"'],
  ],
  flags: {
    ...transferFlags,
    'volume-only': { kind: 'boolean', help: 'Without its snapshots' },
    refresh: { kind: 'boolean', help: 'Bring a copy up to date that is there' },
  },
  async run(shell, [from, to], { target, mode, ...flags }) {
    const destination = flags['destination-target'];
    const volumeOnly = flags['volume-only'];
    await transferVolume(shell, [from, to], {
      target,
      destination,
      mode,
      volumeOnly,
      move: false,
      refresh: flags.refresh,
    });
    return notice('Storage volume copied successfully!');
  },
});
