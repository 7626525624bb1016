import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<alias> <new name>',
  arity: [2, 2],
  description: 'Changes the name of an image.',
  async run(shell, [alias, newAlias]) {
    const [context, known] = await shell.require(alias, 'alias');
    const name = await context.name(newAlias, 'alias');
    await context.change('POST', apiPath('images', 'aliases', known), { body: { name } });
    return undefined;
  },
});
