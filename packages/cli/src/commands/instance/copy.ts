import { LxdError } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath, parseName, requireName } from '../../base/names.ts';
import { parseDeviceFlags } from './create-instance.ts';

/** Keys that belong to one instance only. */
const keeps = (key: string): boolean => !key.startsWith('volatile.') || key === 'volatile.base_image';

export default command({
  usage: '<instance>[/<snapshot>] [<new name>]',
  arity: [1, 2],
  description: 'Makes a copy of an instance, with its snapshots and its configuration.',
  examples: [
    ['copy c1 c2', 'Copy c1 to c2'],
    ['copy c1 c2 -c limits.cpu=2 --instance-only', 'With another limit, without snapshots'],
  ],
  flags: {
    'allow-inconsistent': { kind: 'boolean', help: 'Go on when files change while they are copied' },
    config: { kind: 'list', short: 'c', value: 'key=value', help: 'Configuration of the copy' },
    device: { kind: 'list', short: 'd', value: 'device,key=value', help: 'Option of a device of the copy' },
    ephemeral: { kind: 'boolean', short: 'e', help: 'Delete the copy when it stops' },
    'instance-only': { kind: 'boolean', help: 'Leave the snapshots out' },
    'no-profiles': { kind: 'boolean', help: 'Apply no profile to the copy' },
    profile: { kind: 'list', short: 'p', value: 'profile', help: 'Profile to apply to the copy' },
    stateless: { kind: 'boolean', help: 'Leave saved state out' },
    storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool for the copy' },
    target: { kind: 'string', value: 'member', help: 'Cluster member to copy to' },
    'target-project': { kind: 'string', value: 'project', help: 'Project to copy to' },
  },
  async run(context, [from, to], flags) {
    const source = requireName(from, 'instance');
    const name = parseName(to ?? '');
    if (source === name && flags['target-project'] === undefined) {
      throw new LxdError('invalid', 'A copy needs another name than its source');
    }
    const [instance = '', snapshot] = source.split('/');
    const path = apiPath('instances', instance, ...(snapshot === undefined ? [] : ['snapshots', snapshot]));
    const original = await context.client.get<Instance>(path);
    const config = Object.fromEntries(Object.entries(original.config).filter(([key]) => keeps(key)));
    const devices = { ...original.devices };
    for (const [device, options] of Object.entries(parseDeviceFlags(flags.device))) {
      devices[device] = { ...original.expanded_devices[device], ...devices[device], ...options };
    }
    if (flags.storage !== undefined) {
      const [root = 'root', options = { type: 'disk', path: '/' }] =
        Object.entries(original.expanded_devices).find(
          ([, { type, path: at }]) => type === 'disk' && at === '/',
        ) ?? [];
      devices[root] = { ...options, ...devices[root], pool: flags.storage };
    }
    const profiles = flags['no-profiles'] ? [] : flags.profile.length > 0 ? flags.profile : original.profiles;
    await context.change('POST', '/1.0/instances', {
      query: { target: flags.target, project: flags['target-project'] },
      body: {
        name,
        type: original.type,
        architecture: original.architecture,
        description: original.description,
        config: { ...config, ...parseKeyValues(flags.config) },
        devices,
        profiles,
        ephemeral: flags.ephemeral,
        stateful: original.stateful && !flags.stateless,
        source: {
          type: 'copy',
          source,
          project: original.project,
          instance_only: flags['instance-only'],
          container_only: flags['instance-only'],
          allow_inconsistent: flags['allow-inconsistent'],
        },
      },
    });
    return undefined;
  },
});
