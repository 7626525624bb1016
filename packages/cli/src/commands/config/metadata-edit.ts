import { command } from '../../base/command.ts';
import { editRecord } from '../../base/entity.ts';
import { apiPath } from '../../base/names.ts';

const fields = ['architecture', 'creation_date', 'expiry_date', 'properties', 'templates'];

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description: `Opens the metadata of an instance in your editor ($VISUAL or $EDITOR), or reads it as YAML from stdin.
A template is rendered into a file when one of the events of "when" comes: create, copy, rename, start.`,
  examples: [['config metadata edit c1', 'Edit it']],
  async run(shell, [instance]) {
    const [context, name] = await shell.require(instance, 'instance');
    await editRecord(context, apiPath('instances', name, 'metadata'), fields, `The metadata of "${name}".`);
    return undefined;
  },
});
