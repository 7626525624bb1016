import { command } from '../../base/command.ts';
import { formatFlag } from '../../base/output.ts';
import { clientTokens, listTokens } from '../../base/tokens.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists the tokens for new clients that nobody has used yet.',
  flags: { format: formatFlag },
  run: async (shell, args, flags) => listTokens(await shell.onlyRemote(args), clientTokens, flags.format),
});
