import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <group>',
  arity: [2, 2],
  description: 'Takes a member from a group.',
  async run(shell, [arg, group = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    await updateMember(context, name, ({ groups }) => {
      if (!groups?.includes(group))
        throw new LxdError('not-found', `Cluster group ${group} isn't currently applied to ${name}`);
      return { groups: groups.filter((one) => one !== group) };
    });
    return notice(`Cluster member ${name} removed from group ${group}`);
  },
});
