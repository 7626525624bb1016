import { command } from '../../base/command.ts';
import { editRecord } from '../../base/entity.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume>[/<snapshot>]',
  arity: [2, 2],
  description: 'Opens a volume in your editor ($VISUAL or $EDITOR), or reads it as YAML from stdin.',
  examples: [['storage volume edit default data < file.yaml', 'Replace it by what a file says']],
  flags: volumeTarget,
  async run(shell, [arg, text], { target }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const volume = parseVolume(text);
    const fields = volume.snapshot === undefined ? ['config', 'description'] : ['description', 'expires_at'];
    const hint = `The storage volume "${text ?? ''}".`;
    await editRecord(context, volumePath(pool, volume), fields, hint, { target });
    return undefined;
  },
});
