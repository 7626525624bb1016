import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { memberTokens, revokeTokens } from '../../base/tokens.ts';

export default command({
  usage: '[<remote>:]<member>',
  arity: [1, 1],
  description: 'Makes the token of a new member useless.',
  async run(shell, [arg]) {
    const [context, name] = await shell.require(arg, 'cluster member');
    if (!(await revokeTokens(context, memberTokens, name))) {
      throw new LxdError(
        'not-found',
        `No cluster join token for member ${name} on remote: ${context.remote}`,
      );
    }
    return notice(`Cluster join token for ${context.remote}:${name} deleted`);
  },
});
