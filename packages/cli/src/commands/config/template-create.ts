import { text } from 'node:stream/consumers';
import { command } from '../../base/command.ts';
import { templatesOf, writeTemplate } from './templates.ts';

export default command({
  usage: '[<remote>:]<instance> <template>',
  arity: [2, 2],
  description: `Makes a template of an instance: empty, or with the content of stdin.
It is rendered where the metadata of the instance says so ("config metadata edit").`,
  examples: [
    ['config template create c1 hostname.tpl', 'An empty one, to be edited'],
    ['config template create c1 hostname.tpl < hostname.tpl', 'What a file says'],
  ],
  async run(shell, [instance, name = '']) {
    const content = shell.io.stdinIsTty ? '' : await text(shell.io.stdin);
    await writeTemplate(await templatesOf(shell, instance), name, content);
    return undefined;
  },
});
