import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { checkRemoteName } from './add.ts';

export default command({
  usage: '<remote> <new name>',
  arity: [2, 2],
  description: 'Gives a remote another name.',
  async run(shell, [from = '', to = '']) {
    const config = await shell.config();
    if (!config.remotes.has(from)) throw new LxdError('not-found', `Remote ${from} doesn't exist`);
    if (config.remotes.has(to)) throw new LxdError('conflict', `Remote ${to} already exists`);
    const remote = config.own(from);
    checkRemoteName(to);
    await config.renamePin(from, to);
    config.remotes.delete(from);
    config.remotes.set(to, remote);
    if (config.defaultRemote === from) config.defaultRemote = to;
    await config.save();
    return undefined;
  },
});
