import { command } from '../../base/command.ts';
import { formatFlag } from '../../base/output.ts';
import { listTokens, memberTokens } from '../../base/tokens.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Lists the tokens for new members that nobody has used yet.',
  flags: { format: formatFlag },
  run: async (shell, args, flags) => listTokens(await shell.onlyRemote(args), memberTokens, flags.format),
});
