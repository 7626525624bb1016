import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';

export default command({
  usage: '<remote>',
  arity: [1, 1],
  description: 'Forgets a remote and its certificate. The server goes on trusting this client.',
  async run(shell, [name = '']) {
    const config = await shell.config();
    config.own(name);
    if (config.defaultRemote === name) throw new LxdError('invalid', "Can't remove the default remote");
    config.remotes.delete(name);
    await config.save();
    await config.unpin(name);
    return undefined;
  },
});
