import { command } from '../../base/command.ts';
import { yamlOutput } from '../../base/output.ts';
import { findImage } from './find-image.ts';

export default command({
  usage: '[<remote>:]<image>',
  arity: [1, 1],
  description: 'Shows what may be changed of an image, as YAML.',
  flags: { vm: { kind: 'boolean', help: 'An image for virtual machines' } },
  async run(shell, [image]) {
    const {
      auto_update,
      properties,
      public: isPublic,
      expires_at,
      profiles,
    } = await findImage(...(await shell.image(image)));
    return yamlOutput({ auto_update, properties, public: isPublic, expires_at, profiles });
  },
});
