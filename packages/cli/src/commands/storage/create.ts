import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<pool> <driver> [<key>=<value>...]',
  arity: [2, Infinity],
  description: 'Creates a storage pool.',
  examples: [
    ['storage create fast btrfs size=20GiB', 'A btrfs file system in a file of 20 GiB'],
    ['storage create light overlay', 'Layers over shared images, in a directory of any file system'],
    ['storage create big dir source=/srv/lxd', 'Plain directories under /srv/lxd'],
  ],
  flags: { target: { kind: 'string', value: 'member', help: 'Cluster member' } },
  async run(shell, [arg, driver = '', ...options], { target }) {
    const [context, name] = await shell.require(arg, 'storage pool');
    const config = parseKeyValues(options);
    await context.change('POST', '/1.0/storage-pools', { body: { name, driver, config }, query: { target } });
    return notice(
      target === undefined
        ? `Storage pool ${name} created`
        : `Storage pool ${name} pending on member ${target}`,
    );
  },
});
