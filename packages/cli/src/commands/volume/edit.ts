import { command } from '../../base/command.ts';
import { editRecord } from '../../base/entity.ts';
import { parseVolume, volumePath } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume>[/<snapshot>]',
  arity: [2, 2],
  description: 'Opens a volume in your editor ($VISUAL or $EDITOR), or reads it as YAML from stdin.',
  examples: [['storage volume edit default data < file.yaml', 'Replace it by what a file says']],
  async run(shell, [arg, text]) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const volume = parseVolume(text);
    const fields = volume.snapshot === undefined ? ['config', 'description'] : ['description', 'expires_at'];
    await editRecord(context, volumePath(pool, volume), fields, `The storage volume "${text ?? ''}".`);
    return undefined;
  },
});
