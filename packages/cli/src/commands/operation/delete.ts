import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<operation>',
  arity: [1, 1],
  description: 'Cancels an operation, if it is one that can be cancelled.',
  async run(shell, [arg]) {
    const [context, id] = await shell.require(arg, 'operation');
    await context.client.change('DELETE', apiPath('operations', id));
    return notice(`Operation ${id} deleted`);
  },
});
