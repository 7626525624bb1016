import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';

export default command({
  usage: '<alias>',
  arity: [1, 1],
  description: 'Takes a name from its image. The image stays.',
  async run(context, [alias]) {
    await context.change('DELETE', apiPath('images', 'aliases', requireName(alias, 'alias')));
    return undefined;
  },
});
