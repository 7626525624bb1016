import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';

export default command({
  usage: '<remote>',
  arity: [1, 1],
  description: 'Makes a remote the one that is used when none is named.',
  examples: [['remote switch far', 'From now on "list" means "list far:"']],
  async run(shell, [name = '']) {
    const config = await shell.config();
    if (!config.remotes.has(name)) throw new LxdError('not-found', `Remote ${name} doesn't exist`);
    config.defaultRemote = name;
    await config.save();
    return undefined;
  },
});
