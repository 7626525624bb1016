import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { findImage } from './find-image.ts';

export default command({
  usage: '[<remote>:]<image> <key>',
  arity: [2, 2],
  description: 'Shows the value of one property of an image.',
  examples: [['image get-property debian release', 'Which release it is of']],
  async run(shell, [image, key = '']) {
    const { properties } = await findImage(...(await shell.image(image)));
    const value = properties[key];
    if (value === undefined) throw new LxdError('not-found', `Property "${key}" not found`);
    return textOutput(value);
  },
});
