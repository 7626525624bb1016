import { command } from '../../base/command.ts';
import { forEachInstance, startOrThaw, targets } from './change-state.ts';
import { consoleAfter, consoleFlag } from './console.ts';

export default command({
  usage: '[[<remote>:]<instance>...]',
  arity: [0, Infinity],
  description: 'Starts instances; paused ones go on.',
  examples: [
    ['start c1 c2', 'Start c1 and c2'],
    ['start c1 --console', 'Start c1 and see it boot'],
  ],
  flags: {
    all: { kind: 'boolean', help: 'All instances that are not running' },
    console: consoleFlag,
    stateless: { kind: 'boolean', help: 'Forget saved state' },
  },
  async run(shell, args, flags) {
    const places = await targets(shell, args, flags.all, 'start');
    await forEachInstance(shell, places, 'start', (context, name) =>
      startOrThaw(context, name, { action: 'start', stateful: false }),
    );
    return consoleAfter(places, flags.console);
  },
});
