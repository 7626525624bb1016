import { command } from '../../base/command.ts';
import { updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <key>',
  arity: [2, 2],
  description: 'Removes a configuration key of a member.',
  async run(shell, [arg, key = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    // An empty value means "unset", and lets the server refuse a key that it does not know.
    await updateMember(context, name, ({ config }) => ({ config: { ...config, [key]: '' } }));
    return undefined;
  },
});
