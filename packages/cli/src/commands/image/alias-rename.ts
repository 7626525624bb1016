import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';

export default command({
  usage: '<alias> <new name>',
  arity: [2, 2],
  description: 'Changes the name of an image.',
  async run(context, [alias, name]) {
    await context.change('POST', apiPath('images', 'aliases', requireName(alias, 'alias')), {
      body: { name: requireName(name, 'alias') },
    });
    return undefined;
  },
});
