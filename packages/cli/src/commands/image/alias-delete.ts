import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<alias>',
  arity: [1, 1],
  description: 'Takes a name from its image. The image stays.',
  async run(shell, [alias]) {
    const [context, name] = await shell.require(alias, 'alias');
    await context.change('DELETE', apiPath('images', 'aliases', name));
    return undefined;
  },
});
