import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { splitList, updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <role>[,<role>...]',
  arity: [2, 2],
  description: 'Takes roles from a member.',
  async run(shell, [arg, list = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    await updateMember(context, name, ({ roles }) => {
      const gone = splitList(list);
      for (const role of gone) {
        if (!roles?.includes(role))
          throw new LxdError('not-found', `Member "${name}" does not have role "${role}"`);
      }
      return { roles: (roles ?? []).filter((role) => !gone.includes(role)) };
    });
    return undefined;
  },
});
