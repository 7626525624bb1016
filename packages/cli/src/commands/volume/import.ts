import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { sendBackup } from '../../base/send-backup.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <backup file> [<volume>]',
  arity: [2, 3],
  description:
    'Makes a custom volume again from a file that "storage volume export" wrote. "-" reads it from standard input.',
  examples: [
    ['storage volume import default data.tar.gz', 'With the name it had'],
    ['storage volume import fast data.tar.gz data2', 'Under another name, in another storage pool'],
  ],
  flags: { ...volumeTarget },
  async run(shell, [arg, path = '', name], flags) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const operation = await sendBackup(context, path, {
      url: apiPath('storage-pools', pool, 'volumes', 'custom'),
      what: 'Importing custom volume',
      query: { target: flags.target },
      headers: name === undefined ? {} : { 'x-lxd-name': name },
    });
    await context.wait(operation, 'Importing custom volume');
    return undefined;
  },
});
