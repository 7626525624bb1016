import { command } from '../../base/command.ts';
import { changeState, forEachInstance, targets } from './change-state.ts';

export default command({
  usage: '[[<remote>:]<instance>...]',
  arity: [0, Infinity],
  description: 'Asks instances to shut down and waits until they have.',
  examples: [
    ['stop c1', 'Shut c1 down'],
    ['stop c1 --timeout 30', 'Give it 30 seconds'],
    ['stop c1 --force', 'Kill it at once'],
  ],
  flags: {
    all: { kind: 'boolean', help: 'All running instances' },
    force: { kind: 'boolean', short: 'f', help: 'Kill instead of asking' },
    timeout: {
      kind: 'number',
      value: 'seconds',
      help: 'How long to wait before giving up (default: for ever)',
    },
    stateful: { kind: 'boolean', help: 'Save the running state' },
  },
  async run(shell, args, { all, force, timeout = -1, stateful }) {
    const places = await targets(shell, args, all, 'stop');
    await forEachInstance(shell, places, 'stop', (context, name) =>
      changeState(context, name, { action: 'stop', force, timeout, stateful }),
    );
    return undefined;
  },
});
