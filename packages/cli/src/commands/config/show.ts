import type { Instance } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { instanceFields } from '../../base/entities.ts';
import { yamlOutput } from '../../base/output.ts';
import { subjectOf } from './subject.ts';

export default command({
  usage: '[[<remote>:]<instance>[/<snapshot>]]',
  arity: [0, 1],
  description: 'Shows the configuration of an instance, of a snapshot or of the server as YAML.',
  examples: [['config show c1 --expanded', 'What holds for c1 after its profiles are applied']],
  flags: {
    expanded: { kind: 'boolean', short: 'e', help: 'Apply the profiles' },
    target: { kind: 'string', value: 'member', help: 'Cluster member to ask' },
  },
  async run(shell, [name], { expanded, target }) {
    const { context, path, kind } = await subjectOf(shell, name);
    const found = await context.client.get<Instance>(path, { query: { target } });
    if (kind === 'server') return yamlOutput({ config: found.config });
    if (kind === 'snapshot') return yamlOutput(found);
    const shown = expanded
      ? { ...found, config: found.expanded_config, devices: found.expanded_devices }
      : found;
    return yamlOutput(Object.fromEntries(instanceFields.map((field) => [field, shown[field]])));
  },
});
