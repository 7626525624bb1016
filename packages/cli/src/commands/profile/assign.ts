import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { changeProfiles } from './instance-profiles.ts';

export default command({
  usage: '[<remote>:]<instance> <profile>[,<profile>...]',
  arity: [2, 2],
  description: 'Replaces the profiles of an instance.',
  examples: [
    ['profile assign c1 default,web', 'Apply "default" and then "web"'],
    ["profile assign c1 ''", 'Apply none'],
  ],
  async run(shell, [target, list = '']) {
    const [context, name] = await shell.require(target, 'instance');
    await changeProfiles(context, name, () => (list === '' ? [] : list.split(',')));
    return notice(`Profiles ${list === '' ? '(none)' : list} applied to ${name}`);
  },
});
