import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';
import { yamlOutput } from '../../base/output.ts';

export default command({
  usage: '<operation>',
  arity: [1, 1],
  description: 'Shows an operation as YAML.',
  run: async (context, [id]) =>
    yamlOutput(await context.client.get(apiPath('operations', requireName(id, 'operation')))),
});
