import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';
import { apiPath } from '../../base/names.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> [<key>=<value>...]',
  arity: [2, Infinity],
  description:
    'Creates an empty volume that instances can have as a disk. One of type block is bytes for virtual machines: it is kept, copied and backed up here.',
  examples: [
    ['storage volume create default data size=10GiB', 'For 10 GiB at most'],
    ['storage volume attach default data c1 /srv', 'Then give it to c1'],
    ['storage volume create default disk --type=block size=20GiB', 'A disk of 20 GiB'],
  ],
  flags: {
    ...volumeTarget,
    type: { kind: 'string', value: 'block|filesystem', help: 'Content type (filesystem)' },
  },
  async run(shell, [arg, name = '', ...options], { target, type }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const content = type === undefined ? {} : { content_type: type };
    const body = { name, type: 'custom', ...content, config: parseKeyValues(options) };
    await context.change('POST', apiPath('storage-pools', pool, 'volumes', 'custom'), {
      body,
      query: { target },
    });
    return notice(`Storage volume ${name} created`);
  },
});
