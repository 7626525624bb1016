import { command } from '../../base/command.ts';
import { instanceFields } from '../../base/entities.ts';
import { editRecord } from '../../base/entity.ts';
import { subjectOf } from './subject.ts';

export default command({
  usage: '[[<remote>:]<instance>[/<snapshot>]]',
  arity: [0, 1],
  description: 'Opens a configuration in your editor ($VISUAL or $EDITOR), or reads it as YAML from stdin.',
  examples: [
    ['config edit c1', 'Edit the configuration of c1'],
    ['config edit < server.yaml', "Replace the server's by what a file says"],
  ],
  async run(shell, [name]) {
    const { context, path, kind } = await subjectOf(shell, name);
    const fields = { instance: instanceFields, snapshot: ['expires_at'], server: ['config'] }[kind];
    await editRecord(
      context,
      path,
      fields,
      kind === 'server' ? 'The configuration of the server.' : `The ${kind} "${name ?? ''}".`,
    );
    return undefined;
  },
});
