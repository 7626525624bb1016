import { LxdError } from '@lxd-ts/core';
import type { ClusterMember } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { memberPath } from './members.ts';

export default command({
  usage: '[<remote>:]<member> <key>',
  arity: [2, 2],
  description: 'Shows the value of one configuration key of a member.',
  async run(shell, [arg, key = '']) {
    const [{ client }, name] = await shell.require(arg, 'cluster member');
    const value = (await client.get<ClusterMember>(memberPath(name))).config?.[key];
    if (value === undefined)
      throw new LxdError('not-found', `The key "${key}" does not exist on cluster member "${name}"`);
    return textOutput(value);
  },
});
