import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';

export default command({
  usage: '',
  arity: [0, 0],
  description: 'Tells which remote is used when none is named.',
  run: async (shell) => textOutput((await shell.config()).defaultRemote),
});
