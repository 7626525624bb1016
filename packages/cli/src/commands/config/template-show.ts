import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { readTemplate, templatesOf } from './templates.ts';

export default command({
  usage: '[<remote>:]<instance> <template>',
  arity: [2, 2],
  description: 'Shows a template of an instance as it is written.',
  run: async (shell, [instance, name = '']) =>
    textOutput(await readTemplate(await templatesOf(shell, instance), name)),
});
