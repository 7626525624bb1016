import { command } from '../../base/command.ts';
import type { Configured } from '../../base/entity.ts';
import { textOutput } from '../../base/output.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> [<type>/]<volume>[/<snapshot>] <key>',
  arity: [3, 3],
  description: 'Shows the value of one configuration key of a volume.',
  flags: volumeTarget,
  async run(shell, [arg, volume, key = ''], { target }) {
    const [{ client }, pool] = await shell.require(arg, 'storage pool');
    const path = volumePath(pool, parseVolume(volume));
    const { config } = await client.get<Configured>(path, { query: { target } });
    return textOutput(config[key] ?? '');
  },
});
