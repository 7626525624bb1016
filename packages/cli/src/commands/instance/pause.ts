import { command } from '../../base/command.ts';
import { changeState, forEachInstance, targets } from './change-state.ts';

export default command({
  usage: '[<instance>...]',
  arity: [0, Infinity],
  description: 'Freezes all processes of instances. "lxd-ts start" lets them go on.',
  examples: [['pause c1', 'Freeze c1']],
  flags: { all: { kind: 'boolean', help: 'All running instances' } },
  async run(context, args, { all }) {
    const names = await targets(context, args, all, 'freeze');
    await forEachInstance(context, names, 'pause', (name) =>
      changeState(context, name, { action: 'freeze' }),
    );
    return undefined;
  },
});
