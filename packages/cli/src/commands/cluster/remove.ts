import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { prompt } from '../../base/prompt.ts';
import { memberPath } from './members.ts';

const warning = `Force a member out only when it is dead for good. It is not asked: what it holds (instances, images,
volumes) is lost to the cluster, and it has to be set up anew before it can be used again. A member that
still answers should be emptied first ("cluster evacuate", "move --target") and removed without --force.

`;

export default command({
  usage: '[<remote>:]<member>',
  arity: [1, 1],
  description: 'Takes a member out of the cluster. It must be empty and online, unless it is forced out.',
  examples: [
    ['cluster remove node3', 'Take node3 out'],
    ['cluster remove node3 --force', 'Give node3 up, with everything on it'],
  ],
  flags: {
    force: { kind: 'boolean', short: 'f', help: 'Even if the member does not answer' },
    yes: { kind: 'boolean', help: "Don't ask before forcing" },
  },
  async run(shell, [arg], { force, yes }) {
    const [context, name] = await shell.require(arg, 'cluster member');
    if (force && !yes) {
      shell.io.stdout.write(warning);
      const answer = await prompt(
        shell,
        `Are you really sure you want to force removing ${name}? (yes/no): `,
      );
      if (!/^y(es)?$/i.test(answer)) throw new LxdError('cancelled', 'User aborted delete operation');
    }
    await context.change('DELETE', memberPath(name), { query: { force: force ? '1' : undefined } });
    return notice(`Member ${name} removed`);
  },
});
