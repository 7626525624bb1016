import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { yamlOutput } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<pool>',
  arity: [1, 1],
  description: 'Shows a storage pool as YAML, or how much room is in it.',
  examples: [
    ['storage show default', 'Show the storage pool "default"'],
    ['storage show default --resources', 'Bytes and files that are in it, and that it can take'],
  ],
  flags: {
    resources: { kind: 'boolean', help: 'Show the room in it instead' },
    target: { kind: 'string', value: 'member', help: 'Cluster member' },
  },
  async run(shell, [arg], { resources, target }) {
    const [{ client }, name] = await shell.require(arg, 'storage pool');
    const path = apiPath('storage-pools', name);
    return yamlOutput(await client.get(resources ? `${path}/resources` : path, { query: { target } }));
  },
});
