import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { yamlOutput } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<operation>',
  arity: [1, 1],
  description: 'Shows an operation as YAML.',
  async run(shell, [arg]) {
    const [{ client }, id] = await shell.require(arg, 'operation');
    return yamlOutput(await client.get(apiPath('operations', id)));
  },
});
