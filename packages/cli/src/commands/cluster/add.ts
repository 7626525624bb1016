import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { memberTokens, tokenOf } from '../../base/tokens.ts';

export default command({
  usage: '[[<remote>:]<member>]',
  arity: [0, 1],
  description:
    'Prints a token by which one server can join the cluster under the name given ("admin init" there asks for it).',
  examples: [['cluster add node2', 'A token for "node2"']],
  flags: { name: { kind: 'string', value: 'member', help: 'Name of the member' } },
  async run(shell, [arg], flags) {
    const [context, given] = await shell.parse(arg);
    if (given !== '' && flags.name !== undefined && flags.name !== given)
      throw new LxdError('invalid', 'Two names are given for the member');
    const name = given || flags.name;
    if (!name) throw new LxdError('invalid', 'Missing cluster member name');
    const operation = await context.client.change('POST', '/1.0/cluster/members', {
      body: { server_name: name },
    });
    const { token } = tokenOf(memberTokens, operation);
    shell.say(`Member ${name} join token:`);
    return { kind: 'text', text: token };
  },
});
