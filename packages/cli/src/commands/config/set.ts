import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { instanceFields } from '../../base/entities.ts';
import { update } from '../../base/entity.ts';
import { parseSettings } from '../../base/key-values.ts';
import { splitSubject } from './subject.ts';

/** `key=value...`, or the older `key value`, without an instance before it. */
const isServerSetting = (words: readonly string[]): boolean =>
  (words[0] ?? '').includes('=') || (words.length === 2 && !(words[1] ?? '').includes('='));

export default command({
  usage: '[[<remote>:]<instance>] <key>=<value>...',
  arity: [1, Infinity],
  description:
    'Sets configuration keys of an instance, or of the server. One key may also be given as <key> <value>.',
  examples: [
    ['config set c1 limits.cpu=2 limits.memory=1GiB', 'Limit c1'],
    ['config set core.https_address=[::]:8443', 'Let the server listen on the network'],
  ],
  flags: { target: { kind: 'string', value: 'member', help: 'Cluster member' } },
  async run(shell, args, { target }) {
    const [{ context, path, kind }, words] = await splitSubject(shell, args, isServerSetting);
    const settings = parseSettings(words);
    if (kind === 'snapshot') throw new LxdError('invalid', 'A snapshot has no configuration to set');
    const fields = kind === 'server' ? ['config'] : instanceFields;
    await update(context, path, fields, ({ config }) => Object.assign(config, settings), { target });
    return undefined;
  },
});
