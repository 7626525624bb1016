import { command } from '../../base/command.ts';
import { execFlags, execInteractively } from './exec.ts';

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description: 'Opens a login shell of root in an instance (the same as "exec <instance> -- su -l").',
  examples: [['shell c1', 'Work in c1']],
  flags: execFlags,
  run: async (shell, [name], flags) =>
    execInteractively(...(await shell.require(name, 'instance')), ['su', '-l'], flags),
});
