import { command } from '../../base/command.ts';
import { imagePath } from './find-image.ts';

export default command({
  usage: '<image>...',
  arity: [1, Infinity],
  description: 'Deletes images. Instances created from them stay.',
  async run(context, args) {
    for (const name of args) await context.change('DELETE', await imagePath(context, name));
    return undefined;
  },
});
