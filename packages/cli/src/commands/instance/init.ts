import { command } from '../../base/command.ts';
import { createFlags, createInstance } from './create-instance.ts';

export default command({
  usage: '[<remote>:]<image> [<remote>:][<name>]',
  arity: [1, 2],
  description:
    'Creates an instance from an image without starting it. Configuration as YAML may come on stdin.',
  examples: [
    ['init debian c1', 'Create c1 from the image with the alias "debian"'],
    ['init debian c1 -c limits.memory=1GiB -d root,size=10GiB', 'The same with limits'],
    ['init --empty c1', 'Create c1 with an empty root disk'],
  ],
  flags: createFlags,
  async run(shell, args, flags) {
    await createInstance(shell, args, flags);
    return undefined;
  },
});
