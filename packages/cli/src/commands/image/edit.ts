import { command } from '../../base/command.ts';
import { editRecord } from '../../base/entity.ts';
import { imageFields, imagePath } from './find-image.ts';

export default command({
  usage: '[<remote>:]<image>',
  arity: [1, 1],
  description: 'Opens the properties of an image in your editor, or reads them as YAML from stdin.',
  examples: [['image edit debian', 'Edit the properties of the image "debian"']],
  async run(shell, [arg]) {
    const [context, name] = await shell.require(arg, 'image');
    await editRecord(context, await imagePath(context, name), imageFields, `The image "${name}".`);
    return undefined;
  },
});
