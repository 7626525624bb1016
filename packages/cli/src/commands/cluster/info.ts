import { command } from '../../base/command.ts';
import { yamlOutput } from '../../base/output.ts';
import { memberPath } from './members.ts';

export default command({
  usage: '[<remote>:]<member>',
  arity: [1, 1],
  description: 'Shows how a member is doing: its memory, load and storage pools.',
  async run(shell, [arg]) {
    const [{ client }, name] = await shell.require(arg, 'cluster member');
    return yamlOutput(await client.get(memberPath(name, 'state')));
  },
});
