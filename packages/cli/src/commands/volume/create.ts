import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';
import { apiPath } from '../../base/names.ts';
import { volumeTarget } from './volume-name.ts';

export default command({
  usage: '[<remote>:]<pool> <volume> [<key>=<value>...]',
  arity: [2, Infinity],
  description: 'Creates an empty volume that instances can have as a disk.',
  examples: [
    ['storage volume create default data size=10GiB', 'For 10 GiB at most'],
    ['storage volume attach default data c1 /srv', 'Then give it to c1'],
  ],
  flags: volumeTarget,
  async run(shell, [arg, name = '', ...options], { target }) {
    const [context, pool] = await shell.require(arg, 'storage pool');
    const body = { name, type: 'custom', config: parseKeyValues(options) };
    await context.change('POST', apiPath('storage-pools', pool, 'volumes', 'custom'), {
      body,
      query: { target },
    });
    return notice(`Storage volume ${name} created`);
  },
});
