import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { sendBackup } from '../../base/send-backup.ts';

export default command({
  usage: '[<remote>:] <backup file> [<instance>]',
  arity: [1, 3],
  description: 'Makes an instance again from a file that "export" wrote. "-" reads it from standard input.',
  examples: [
    ['import c1.tar.gz', 'With the name it had'],
    ['import c1.tar.gz c2 --storage fast', 'Under another name, in another storage pool'],
  ],
  flags: { storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool to put it in' } },
  async run(shell, args, flags) {
    const remote = args[0]?.endsWith(':') ? args[0] : undefined;
    const [path, name, ...more] = remote === undefined ? args : args.slice(1);
    if (path === undefined || more.length > 0)
      throw new LxdError('invalid', 'Give a backup file, and perhaps a name for the instance');
    const [context] = await shell.parse(remote);
    const operation = await sendBackup(context, path, {
      url: '/1.0/instances',
      what: 'Importing instance',
      headers: {
        ...(name === undefined ? {} : { 'x-lxd-name': name }),
        ...(flags.storage ? { 'x-lxd-pool': flags.storage } : {}),
      },
    });
    await context.wait(operation, 'Importing instance');
    return undefined;
  },
});
