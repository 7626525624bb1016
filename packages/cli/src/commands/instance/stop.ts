import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { Place } from '../../base/shell.ts';
import { changeState, forEachInstance, targets } from './change-state.ts';
import { consoleDuring, consoleFlag } from './console.ts';

export default command({
  usage: '[[<remote>:]<instance>...]',
  arity: [0, Infinity],
  description: 'Asks instances to shut down and waits until they have.',
  examples: [
    ['stop c1', 'Shut c1 down'],
    ['stop c1 --timeout 30', 'Give it 30 seconds'],
    ['stop c1 --force', 'Kill it at once'],
    ['stop c1 --console', 'See it shut down'],
  ],
  flags: {
    all: { kind: 'boolean', help: 'All running instances' },
    console: consoleFlag,
    force: { kind: 'boolean', short: 'f', help: 'Kill instead of asking' },
    timeout: {
      kind: 'number',
      value: 'seconds',
      help: 'How long to wait before giving up (default: for ever)',
    },
    stateful: { kind: 'boolean', help: 'Save the running state' },
  },
  async run(shell, args, { all, console, force, timeout = -1, stateful }) {
    if (console !== undefined && force)
      throw new LxdError('invalid', "--console can't be used with --force: nothing is printed then");
    const places = await targets(shell, args, all, 'stop');
    const stop = (...[context, name]: Place) =>
      changeState(context, name, { action: 'stop', force, timeout, stateful });
    if (console !== undefined) return consoleDuring(places, console, stop);
    await forEachInstance(shell, places, 'stop', stop);
    return undefined;
  },
});
