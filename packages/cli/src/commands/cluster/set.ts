import { command } from '../../base/command.ts';
import { parseSettings } from '../../base/key-values.ts';
import { updateMember } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <key>=<value>...',
  arity: [2, Infinity],
  description: 'Sets configuration keys of a member. One key may also be given as two words: <key> <value>.',
  examples: [['cluster set node2 scheduler.instance=manual', 'Place nothing on node2 by itself']],
  async run(shell, [arg, ...words]) {
    const [context, name] = await shell.require(arg, 'cluster member');
    const settings = parseSettings(words);
    await updateMember(context, name, ({ config }) => ({ config: { ...config, ...settings } }));
    return undefined;
  },
});
