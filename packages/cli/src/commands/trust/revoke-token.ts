import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { clientTokens, revokeTokens } from '../../base/tokens.ts';

export default command({
  usage: '[<remote>:] <name>',
  arity: [1, 2],
  description: 'Makes the token of a new client useless.',
  async run(shell, args) {
    const [context, [name = '']] = await shell.remoteFirst(args);
    if (!(await revokeTokens(context, clientTokens, name))) {
      throw new LxdError(
        'not-found',
        `No certificate add token for member ${name} on remote: ${context.remote}`,
      );
    }
    return notice(`Certificate add token for ${name} deleted`);
  },
});
