import { command } from '../../base/command.ts';
import { requireName } from '../../base/names.ts';

export default command({
  usage: '<alias> <fingerprint>',
  arity: [2, 2],
  description: 'Gives an image a name.',
  examples: [['image alias create debian 5f2c1e', 'Call the image with that fingerprint "debian"']],
  async run(context, [alias, target]) {
    await context.change('POST', '/1.0/images/aliases', {
      body: { name: requireName(alias, 'alias'), target: requireName(target, 'image') },
    });
    return undefined;
  },
});
