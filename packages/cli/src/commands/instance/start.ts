import { command } from '../../base/command.ts';
import { forEachInstance, startOrThaw, targets } from './change-state.ts';
import { consoleAfter, consoleFlag } from './console.ts';

export default command({
  usage: '[<instance>...]',
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
  async run(context, args, flags) {
    const names = await targets(context, args, flags.all, 'start');
    await forEachInstance(context, names, 'start', (name) =>
      startOrThaw(context, name, { action: 'start', stateful: false }),
    );
    return consoleAfter(context, names, flags.console);
  },
});
