import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { instanceFields } from '../../base/entities.ts';
import { update } from '../../base/entity.ts';
import { splitSubject } from './subject.ts';

export default command({
  usage: '[[<remote>:]<instance>] <key>',
  arity: [1, 2],
  description: 'Removes a configuration key of an instance, or of the server.',
  examples: [['config unset c1 limits.cpu', 'Let c1 use every CPU again']],
  flags: { target: { kind: 'string', value: 'member', help: 'Cluster member' } },
  async run(shell, args, { target }) {
    const [{ context, path, kind }, [key = '']] = await splitSubject(
      shell,
      args,
      (words) => words.length === 1,
    );
    const remove = ({ config }: { config: Record<string, string> }): void => {
      if (kind === 'instance' && !(key in config)) {
        throw new LxdError('invalid', `Can't unset key '${key}', it's not currently set`);
      }
      Reflect.deleteProperty(config, key);
    };
    await update(context, path, kind === 'server' ? ['config'] : instanceFields, remove, { target });
    return undefined;
  },
});
