import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { splitList, updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <group>[,<group>...]',
  arity: [2, 2],
  description: 'Says which groups a member is in, and in no others.',
  examples: [['cluster group assign node2 default,gpu', 'Put node2 in these two']],
  async run(shell, [arg, list = '']) {
    const [context, name] = await shell.require(arg, 'cluster member');
    await updateMember(context, name, () => ({ groups: splitList(list) }));
    return notice(`Cluster member ${name} added to cluster groups ${list}`);
  },
});
