import { command } from '../../base/command.ts';
import { parseVolume, volumePath, volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> <snapshot>',
  arity: [3, 3],
  description: 'Makes a volume what it was when the snapshot was taken. No instance that has it may run.',
  flags: volumeTarget,
  async run(shell, [arg, volume, snapshot], { target }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    await context.change('PUT', volumePath(pool, parseVolume(volume)), {
      body: { restore: snapshot },
      query: { target },
    });
    return undefined;
  },
});
