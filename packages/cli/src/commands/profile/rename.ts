import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<profile> <new name>',
  arity: [2, 2],
  description: 'Gives a profile another name.',
  async run(shell, [from, to]) {
    const [context, name] = await shell.require(from, 'profile');
    const newName = await context.name(to, 'profile');
    await context.change('POST', apiPath('profiles', name), { body: { name: newName } });
    return notice(`Profile ${name} renamed to ${newName}`);
  },
});
