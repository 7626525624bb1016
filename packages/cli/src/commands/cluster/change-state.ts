import { command, type LoadedCommand } from '../../base/command.ts';
import { prompt } from '../../base/prompt.ts';
import { memberPath } from './members.ts';

/** `cluster evacuate` and `cluster restore`. */
export const memberStateCommand = (action: 'evacuate' | 'restore', description: string): LoadedCommand =>
  command({
    usage: '[<remote>:]<member>',
    arity: [1, 1],
    description,
    flags: {
      force: { kind: 'boolean', help: "Don't ask" },
      ...(action === 'evacuate'
        ? {
            action: {
              kind: 'string',
              value: 'auto|migrate|stop',
              help: 'What becomes of the instances (default: as each of them says)',
            },
          }
        : {}),
    },
    async run(shell, [arg], { force, action: mode }) {
      const [context, name] = await shell.require(arg, 'cluster member');
      if (!force) {
        const question = `Are you sure you want to ${action} cluster member "${name}"? (yes/no) [default=no]: `;
        if (!/^y(es)?$/i.test(await prompt(shell, question))) return undefined;
      }
      const operation = await context.client.change('POST', memberPath(name, 'state'), {
        body: { action, ...(mode === undefined ? {} : { mode }) },
      });
      await context.wait(
        operation,
        action === 'evacuate' ? `Evacuating cluster member` : 'Restoring cluster member',
      );
      return undefined;
    },
  });
