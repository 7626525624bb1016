import { command } from '../../base/command.ts';
import { changeProperties } from './change-properties.ts';

export default command({
  usage: '[<remote>:]<image> <key>',
  arity: [2, 2],
  description: 'Removes a property of an image.',
  async run(shell, [image, unwanted = '']) {
    await changeProperties(await shell.require(image, 'image'), (properties) =>
      Object.fromEntries(Object.entries(properties).filter(([key]) => key !== unwanted)),
    );
    return undefined;
  },
});
