import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { changeProfiles } from './instance-profiles.ts';

export default command({
  usage: '[<remote>:]<instance> <profile>',
  arity: [2, 2],
  description: 'Adds a profile to an instance, after those it has.',
  examples: [['profile add c1 web', 'Apply "web" to c1 too']],
  async run(shell, [target, profile = '']) {
    const [context, name] = await shell.require(target, 'instance');
    await changeProfiles(context, name, (profiles) => {
      if (profiles.includes(profile)) throw new LxdError('conflict', 'Duplicate profile found in request');
      return [...profiles, profile];
    });
    return notice(`Profile ${profile} added to ${name}`);
  },
});
