import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { splitList, updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <role>[,<role>...]',
  arity: [2, 2],
  description: 'Gives roles to a member.',
  async run(shell, [arg, list = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    await updateMember(context, name, ({ roles }) => {
      for (const role of splitList(list)) {
        if (roles?.includes(role))
          throw new LxdError('conflict', `Member "${name}" already has role "${role}"`);
      }
      return { roles: [...(roles ?? []), ...splitList(list)] };
    });
    return undefined;
  },
});
