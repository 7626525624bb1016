import { command } from '../../base/command.ts';

export default command({
  usage: '[<remote>:]<alias> <fingerprint>',
  arity: [2, 2],
  description: 'Gives an image a name.',
  examples: [['image alias create debian 5f2c1e', 'Call the image with that fingerprint "debian"']],
  async run(shell, [alias, image]) {
    const [context, name] = await shell.require(alias, 'alias');
    const target = await context.name(image, 'image');
    await context.change('POST', '/1.0/images/aliases', { body: { name, target } });
    return undefined;
  },
});
