import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';
import { changeProfiles } from './instance-profiles.ts';

export default command({
  usage: '[<remote>:]<instance> <profile>',
  arity: [2, 2],
  description: 'Takes a profile from an instance.',
  async run(shell, [target, profile = '']) {
    const [context, name] = await shell.require(target, 'instance');
    await changeProfiles(context, name, (profiles) => {
      if (!profiles.includes(profile)) {
        throw new LxdError('invalid', `Profile ${profile} isn't currently applied to ${name}`);
      }
      return profiles.filter((one) => one !== profile);
    });
    return notice(`Profile ${profile} removed from ${name}`);
  },
});
