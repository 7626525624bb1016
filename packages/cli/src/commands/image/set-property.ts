import { command } from '../../base/command.ts';
import { parseSettings } from '../../base/key-values.ts';
import { changeProperties } from './change-properties.ts';

export default command({
  usage: '[<remote>:]<image> <key>=<value>...',
  arity: [2, Infinity],
  description: 'Sets properties of an image. One may also be given as two words: <key> <value>.',
  examples: [['image set-property debian description="Debian 12 with our tools"', 'Set one property']],
  async run(shell, [image, ...words]) {
    const settings = parseSettings(words);
    await changeProperties(await shell.require(image, 'image'), (properties) =>
      Object.assign(properties, settings),
    );
    return undefined;
  },
});
