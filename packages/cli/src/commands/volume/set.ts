import { command } from '../../base/command.ts';
import { parseSettings } from '../../base/key-values.ts';
import { changeVolume } from './change.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> <key>=<value>...',
  arity: [3, Infinity],
  description: 'Sets configuration keys of a volume. One key may also be given as two words: <key> <value>.',
  examples: [['storage volume set default data size=20GiB', 'Let it grow to 20 GiB']],
  flags: volumeTarget,
  run: (shell, [arg, volume, ...rest], { target }) =>
    changeVolume(shell, [arg, volume], parseSettings(rest), target),
});
