import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { memberPath } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <new name>',
  arity: [2, 2],
  description: 'Gives a member another name.',
  async run(shell, [arg, to]) {
    const [context, name] = await shell.require(arg, 'cluster member');
    const newName = await context.name(to, 'cluster member');
    await context.change('POST', memberPath(name), { body: { server_name: newName } });
    return notice(`Member ${name} renamed to ${newName}`);
  },
});
