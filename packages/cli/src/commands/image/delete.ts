import { command } from '../../base/command.ts';
import { imagePath } from './find-image.ts';

export default command({
  usage: '[<remote>:]<image>...',
  arity: [1, Infinity],
  description: 'Deletes images. Instances created from them stay.',
  async run(shell, args) {
    for (const arg of args) {
      const [context, name] = await shell.require(arg, 'image');
      await context.change('DELETE', await imagePath(context, name));
    }
    return undefined;
  },
});
