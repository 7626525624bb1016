import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { templatesOf } from './templates.ts';

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description: 'Lists the templates of an instance: what they make is told by "config metadata show".',
  flags: { format: formatFlag },
  async run(shell, [instance], flags) {
    const format = parseFormat(flags.format);
    const { context, path } = await templatesOf(shell, instance);
    const names = await context.client.get<string[]>(path);
    return { kind: 'list', format, header: ['FILENAME'], rows: names.map((name) => [name]), records: names };
  },
});
