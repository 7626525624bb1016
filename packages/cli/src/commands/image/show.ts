import { command } from '../../base/command.ts';
import { yamlOutput } from '../../base/output.ts';
import { findImage } from './find-image.ts';

export default command({
  usage: '<image>',
  arity: [1, 1],
  description: 'Shows what may be changed of an image, as YAML.',
  flags: { vm: { kind: 'boolean', help: 'An image for virtual machines' } },
  async run(context, [name]) {
    const {
      auto_update,
      properties,
      public: isPublic,
      expires_at,
      profiles,
    } = await findImage(context, name);
    return yamlOutput({ auto_update, properties, public: isPublic, expires_at, profiles });
  },
});
