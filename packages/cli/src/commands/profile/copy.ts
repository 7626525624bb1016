import type { Profile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath, requireName } from '../../base/names.ts';

export default command({
  usage: '<profile> <new name>',
  arity: [2, 2],
  description: 'Makes a copy of a profile.',
  examples: [['profile copy default web', 'Begin "web" with what "default" says']],
  flags: { 'target-project': { kind: 'string', value: 'project', help: 'Project to copy to' } },
  async run(context, [from, to], flags) {
    const { config, description, devices } = await context.client.get<Profile>(
      apiPath('profiles', requireName(from, 'profile')),
    );
    await context.change('POST', '/1.0/profiles', {
      body: { name: requireName(to, 'profile'), config, description, devices },
      query: { project: flags['target-project'] },
    });
    return undefined;
  },
});
