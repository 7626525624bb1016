import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { commandHelp, groupHelp } from '../../base/help.ts';
import { textOutput } from '../../base/output.ts';

export default command({
  usage: '[<command>...]',
  arity: [0, Infinity],
  description: 'Shows the commands there are, or what one of them does.',
  examples: [['help config set', 'Tell about "config set"']],
  async run({ catalogue: { registry, groups } }, words) {
    const path = words.join(' ');
    const entry = registry.find((one) => one.path === path);
    if (entry) return textOutput(commandHelp(entry, (await entry.load()).default).trimEnd());
    if (path !== '' && !(path in groups)) throw new LxdError('not-found', `There is no command "${path}"`);
    return textOutput(groupHelp(registry, path, groups).trimEnd());
  },
});
