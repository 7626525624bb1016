import { command } from '../../base/command.ts';
import { changeState, forEachInstance, targets } from './change-state.ts';

export default command({
  usage: '[[<remote>:]<instance>...]',
  arity: [0, Infinity],
  description: 'Freezes all processes of instances. "lxd-ts start" lets them go on.',
  examples: [['pause c1', 'Freeze c1']],
  flags: { all: { kind: 'boolean', help: 'All running instances' } },
  async run(shell, args, { all }) {
    const places = await targets(shell, args, all, 'freeze');
    await forEachInstance(shell, places, 'pause', (context, name) =>
      changeState(context, name, { action: 'freeze' }),
    );
    return undefined;
  },
});
