import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';
import { rename } from './rename.ts';

export default command({
  usage: '<instance>[/<snapshot>] [<new name>]',
  arity: [1, 2],
  description:
    'Gives a stopped instance another name, or moves it to another cluster member or storage pool.',
  examples: [
    ['move c1 web', 'Rename c1 to web'],
    ['move c1 --target node2', 'Move c1 to another member of the cluster'],
  ],
  flags: {
    target: { kind: 'string', value: 'member', help: 'Cluster member to move to' },
    storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool to move to' },
  },
  async run(context, [from, to], { target, storage }) {
    const source = requireName(from, 'instance');
    const name = requireName(to ?? from, 'instance');
    if (target === undefined && storage === undefined) return rename(context, source, name);
    await context.change('POST', apiPath('instances', source), {
      query: { target },
      body: { name, migration: true, ...(storage === undefined ? {} : { pool: storage }) },
    });
    return undefined;
  },
});
