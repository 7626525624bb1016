import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <group>',
  arity: [2, 2],
  description: 'Puts a member in a group, beside those it is in.',
  async run(shell, [arg, group = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    await updateMember(context, name, ({ groups }) => {
      if (groups?.includes(group))
        throw new LxdError('conflict', `Cluster member ${name} is already in group ${group}`);
      return { groups: [...(groups ?? []), group] };
    });
    return notice(`Cluster member ${name} added to group ${group}`);
  },
});
