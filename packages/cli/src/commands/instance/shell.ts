import { command } from '../../base/command.ts';
import { requireName } from '../../base/names.ts';
import { execFlags, execInteractively } from './exec.ts';

export default command({
  usage: '<instance>',
  arity: [1, 1],
  description: 'Opens a login shell of root in an instance (the same as "exec <instance> -- su -l").',
  examples: [['shell c1', 'Work in c1']],
  flags: execFlags,
  run: (context, [name], flags) =>
    execInteractively(context, requireName(name, 'instance'), ['su', '-l'], flags),
});
