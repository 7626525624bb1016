import { command } from '../../base/command.ts';
import { changeState, forEachInstance, targets } from './change-state.ts';
import { consoleAfter, consoleFlag } from './console.ts';

export default command({
  usage: '[[<remote>:]<instance>...]',
  arity: [0, Infinity],
  description: 'Shuts instances down and starts them again.',
  examples: [['restart c1 --force', 'Kill c1 and start it again']],
  flags: {
    all: { kind: 'boolean', help: 'All running instances' },
    console: consoleFlag,
    force: { kind: 'boolean', short: 'f', help: 'Kill instead of asking' },
    timeout: {
      kind: 'number',
      value: 'seconds',
      help: 'How long to wait for the shutdown (default: for ever)',
    },
  },
  async run(shell, args, { all, force, timeout = -1, console }) {
    const places = await targets(shell, args, all, 'restart');
    await forEachInstance(shell, places, 'restart', (context, name) =>
      changeState(context, name, { action: 'restart', force, timeout }),
    );
    return consoleAfter(places, console);
  },
});
