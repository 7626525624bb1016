import { command } from '../../base/command.ts';
import { changeState } from './change-state.ts';
import { consoleAfter, consoleFlag } from './console.ts';
import { createFlags, createInstance } from './create-instance.ts';

export default command({
  usage: '[<remote>:]<image> [<remote>:][<name>]',
  arity: [1, 2],
  description: 'Creates an instance from an image and starts it. Configuration as YAML may come on stdin.',
  examples: [
    ['launch debian c1', 'Create and start c1'],
    ['launch debian c1 -n lxdbr0 -s fast -e', 'On another network and pool, gone when it stops'],
    ['launch debian c1 < c1.yaml', 'With the configuration in a file'],
    ['launch docker:nginx web', 'From an OCI registry: what the image says to run, as it says'],
  ],
  flags: { ...createFlags, console: consoleFlag },
  async run(shell, args, flags) {
    const [context, name] = await createInstance(shell, args, flags);
    context.say(`Starting ${name}`);
    await changeState(context, name, { action: 'start' });
    return consoleAfter([[context, name]], flags.console);
  },
});
