import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<group>',
  arity: [1, 1],
  description: 'Creates a group. Instances are placed in one with --target=@<group>.',
  examples: [['cluster group create gpu', 'A group for the members that have a GPU']],
  async run(shell, [arg]) {
    const [context, name] = await shell.require(arg, 'cluster group');
    await context.change('POST', '/1.0/cluster/groups', { body: { name } });
    return notice(`Cluster group ${name} created`);
  },
});
