import { command } from '../../base/command.ts';
import { templatesOf } from './templates.ts';

export default command({
  usage: '[<remote>:]<instance> <template>',
  arity: [2, 2],
  description: 'Deletes a template of an instance. The file that it made stays.',
  async run(shell, [instance, name = '']) {
    const { context, path } = await templatesOf(shell, instance);
    await context.client.change('DELETE', path, { query: { path: name } });
    return undefined;
  },
});
