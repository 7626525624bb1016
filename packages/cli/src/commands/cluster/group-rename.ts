import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { groupPath } from './members.ts';

export default command({
  usage: '[<remote>:]<group> <new name>',
  arity: [2, 2],
  description: 'Gives a group another name.',
  async run(shell, [arg, to]) {
    const [context, name] = await shell.require(arg, 'cluster group');
    const newName = await context.name(to, 'cluster group');
    await context.change('POST', groupPath(name), { body: { name: newName } });
    return notice(`Cluster group ${name} renamed to ${newName}`);
  },
});
