import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<instance> <snapshot>',
  arity: [2, 2],
  description: 'Brings an instance back to what it was at a snapshot. What came after is lost.',
  examples: [['restore c1 before-upgrade', 'Undo what happened since']],
  flags: { stateful: { kind: 'boolean', help: 'The running state too, if the snapshot has it' } },
  async run(shell, [arg, snapshot = ''], { stateful }) {
    const [context, instance] = await shell.require(arg, 'instance');
    const restore = snapshot.includes('/') ? snapshot : `${instance}/${snapshot}`;
    await context.change('PUT', apiPath('instances', instance), { body: { restore, stateful } });
    return undefined;
  },
});
