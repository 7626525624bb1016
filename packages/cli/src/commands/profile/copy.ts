import type { Profile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<profile> [<remote>:]<new name>',
  arity: [2, 2],
  description: 'Makes a copy of a profile.',
  examples: [['profile copy default web', 'Begin "web" with what "default" says']],
  flags: { 'target-project': { kind: 'string', value: 'project', help: 'Project to copy to' } },
  async run(shell, [from, to], flags) {
    const [source, known] = await shell.require(from, 'profile');
    const [target, name] = await shell.require(to, 'profile');
    const { config, description, devices } = await source.client.get<Profile>(apiPath('profiles', known));
    await target.change('POST', '/1.0/profiles', {
      body: { name, config, description, devices },
      query: { project: flags['target-project'] },
    });
    return undefined;
  },
});
