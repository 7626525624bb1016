import { command } from '../../base/command.ts';
import { edit } from '../../base/editor.ts';
import { readTemplate, templatesOf, writeTemplate } from './templates.ts';

export default command({
  usage: '[<remote>:]<instance> <template>',
  arity: [2, 2],
  description: 'Opens a template in your editor ($VISUAL or $EDITOR), or replaces it by what stdin brings.',
  examples: [['config template edit c1 hostname.tpl', 'Edit it']],
  async run(shell, [instance, name = '']) {
    const templates = await templatesOf(shell, instance);
    // Also tells whether there is one.
    const now = await readTemplate(templates, name);
    await edit(templates.context, now, (content) => writeTemplate(templates, name, content));
    return undefined;
  },
});
