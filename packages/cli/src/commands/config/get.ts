import type { Instance } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { splitSubject } from './subject.ts';

export default command({
  usage: '[[<remote>:]<instance>] <key>',
  arity: [1, 2],
  description: 'Shows the value of a configuration key of an instance, or of the server.',
  examples: [
    ['config get c1 limits.memory', 'A key of c1'],
    ['config get core.https_address', 'A key of the server'],
  ],
  flags: {
    expanded: { kind: 'boolean', short: 'e', help: 'What holds after profiles are applied' },
    target: { kind: 'string', value: 'member', help: 'Cluster member to ask' },
  },
  async run(shell, args, { expanded, target }) {
    const [{ context, path, kind }, [key = '']] = await splitSubject(
      shell,
      args,
      (words) => words.length === 1,
    );
    const found = await context.client.get<Instance>(path, { query: { target } });
    const config = expanded && kind !== 'server' ? found.expanded_config : found.config;
    return textOutput(config[key] ?? '');
  },
});
