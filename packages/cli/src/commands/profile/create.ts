import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<profile>',
  arity: [1, 1],
  description: 'Creates an empty profile.',
  examples: [['profile create web', 'Create the profile "web"']],
  async run(shell, [arg]) {
    const [context, name] = await shell.require(arg, 'profile');
    await context.change('POST', '/1.0/profiles', { body: { name } });
    return notice(`Profile ${name} created`);
  },
});
