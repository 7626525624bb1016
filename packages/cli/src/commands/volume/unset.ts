import { command } from '../../base/command.ts';
import { changeVolume } from './change.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> <key>',
  arity: [3, 3],
  description: 'Removes a configuration key of a volume.',
  flags: volumeTarget,
  run: (shell, [arg, volume, key = ''], { target }) =>
    changeVolume(shell, [arg, volume], { [key]: '' }, target),
});
