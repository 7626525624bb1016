import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { yamlOutput } from '../../base/output.ts';

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description:
    'Shows as YAML what the image of an instance said of itself, and which files its templates make.',
  async run(shell, [instance]) {
    const [{ client }, name] = await shell.require(instance, 'instance');
    return yamlOutput(await client.get(apiPath('instances', name, 'metadata')));
  },
});
