import { command } from '../../base/command.ts';
import { yamlOutput } from '../../base/output.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> [<type>/]<volume>[/<snapshot>]',
  arity: [2, 2],
  description: 'Shows a volume, or one of its snapshots, as YAML.',
  examples: [['storage volume show default container/c1', 'The volume of instance c1']],
  flags: volumeTarget,
  async run(shell, [arg, volume], { target }) {
    const [{ client }, pool] = await shell.require(arg, 'storage pool');
    return yamlOutput(await client.get(volumePath(pool, parseVolume(volume)), { query: { target } }));
  },
});
