import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '<profile> <new name>',
  arity: [2, 2],
  description: 'Gives a profile another name.',
  async run(context, [from, to]) {
    const [name, newName] = [requireName(from, 'profile'), requireName(to, 'profile')];
    await context.change('POST', apiPath('profiles', name), { body: { name: newName } });
    return notice(`Profile ${name} renamed to ${newName}`);
  },
});
