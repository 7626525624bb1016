import { LxdError } from '@lxd-ts/core';
import type { Instance } from '@lxd-ts/client';
import type { FlagSpecs, FlagValues } from '../../base/args.ts';
import type { Context } from '../../base/context.ts';
import { instanceFields } from '../../base/entities.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath } from '../../base/names.ts';
import type { Place } from '../../base/shell.ts';
import { sameServer } from '../../remotes/image-source.ts';
import { parseDeviceFlags } from './create-instance.ts';
import { modes, parseMode, transferInstance } from './transfer.ts';

export const copyFlags = {
  'allow-inconsistent': { kind: 'boolean', help: 'Go on when files change while they are copied' },
  config: { kind: 'list', short: 'c', value: 'key=value', help: 'Configuration of the new instance' },
  device: {
    kind: 'list',
    short: 'd',
    value: 'device,key=value',
    help: 'Option of a device of the new instance',
  },
  'instance-only': { kind: 'boolean', help: 'Leave the snapshots out' },
  mode: {
    kind: 'string',
    value: modes.join('|'),
    help: 'Between servers: the target fetches (default), the source sends, or both talk through this command',
  },
  'no-profiles': { kind: 'boolean', help: 'Apply no profile to the new instance' },
  profile: { kind: 'list', short: 'p', value: 'profile', help: 'Profile to apply to the new instance' },
  stateless: { kind: 'boolean', help: 'Leave the running state out' },
  storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool for the new instance' },
  target: { kind: 'string', value: 'member', help: 'Cluster member to use' },
  'target-project': { kind: 'string', value: 'project', help: 'Project to use' },
} as const satisfies FlagSpecs;

export type CopyFlags = FlagValues<typeof copyFlags>;

export interface CopyOptions {
  refresh: boolean;
  ephemeral: boolean | undefined;
  /** What belongs to this one instance (its addresses, its identity) goes with it. */
  keepVolatile: boolean;
}

const isVolatile = (key: string): boolean => key.startsWith('volatile.') && key !== 'volatile.base_image';

const without = (
  config: Readonly<Record<string, string>>,
  drop: (key: string) => boolean,
): Record<string, string> => Object.fromEntries(Object.entries(config).filter(([key]) => !drop(key)));

type CopyBody = Record<string, unknown> & {
  name: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
};

/** The request that makes a copy of `original`, without its source. */
export function copyBody(
  original: Instance,
  name: string,
  flags: CopyFlags,
  { keepVolatile, ephemeral }: CopyOptions,
): CopyBody {
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
  const profiles = flags['no-profiles']
    ? []
    : flags.profile.length > 0
      ? [...flags.profile]
      : original.profiles;
  const config = keepVolatile ? original.config : without(original.config, isVolatile);
  return {
    name,
    type: original.type,
    architecture: original.architecture,
    description: original.description,
    config: { ...config, ...parseKeyValues(flags.config) },
    devices,
    profiles,
    ephemeral: ephemeral ?? original.ephemeral,
    stateful: original.stateful && !flags.stateless,
  };
}

async function exists({ client }: Context, name: string, query: object): Promise<boolean> {
  try {
    await client.get(apiPath('instances', name), { query: { ...query } });
    return true;
  } catch (error) {
    if (error instanceof LxdError && error.code === 'not-found') return false;
    throw error;
  }
}

/** The configuration of the source for a copy that was there before; what belongs to the copy alone stays. */
async function refreshConfig(context: Context, body: CopyBody, query: { project?: string | undefined }) {
  const path = apiPath('instances', body.name);
  const { metadata, etag } = await context.client.getWithEtag<Instance>(path, { query });
  const current = Object.fromEntries(instanceFields.map((field) => [field, metadata[field]]));
  const own = without(metadata.config, (key) => !isVolatile(key));
  const { config, devices, profiles, description, ephemeral } = body;
  // Its root disk stays in the pool where it is.
  const root = Object.entries(metadata.devices).filter(
    ([, { type, path: at }]) => type === 'disk' && at === '/',
  );
  await context.change('PUT', path, {
    body: {
      ...current,
      config: { ...without(config, isVolatile), ...own },
      devices: { ...devices, ...Object.fromEntries(root) },
      profiles,
      description,
      ephemeral,
    },
    etag,
    query,
  });
}

/** Copies an instance or a snapshot, on its server or to another; returns where the copy is. */
export async function copyInstance(
  [source, from]: Place,
  [target, to]: Place,
  flags: CopyFlags,
  options: CopyOptions,
): Promise<Place> {
  const mode = parseMode(flags.mode);
  const [instance = '', snapshot] = from.split('/');
  const local = await sameServer(source, target);
  const name = to === '' && !local ? (snapshot === undefined ? instance : '') : to;
  if (to === '' && snapshot !== undefined && !local)
    throw new LxdError('invalid', 'A name is needed for the copy of a snapshot');
  if (to.includes('/')) throw new LxdError('invalid', `Invalid instance name "${to}"`);
  const query = { target: flags.target, project: flags['target-project'] };
  if (local && from === name && query.project === undefined)
    throw new LxdError('invalid', 'A copy needs another name than its source');

  const path = apiPath('instances', instance, ...(snapshot === undefined ? [] : ['snapshots', snapshot]));
  const original = await source.client.get<Instance>(path);
  const refresh = options.refresh && (await exists(target, name, { project: query.project }));
  const body = copyBody(
    snapshot === undefined
      ? original
      : { ...(await source.client.get<Instance>(apiPath('instances', instance))), ...original },
    name,
    flags,
    options,
  );
  const instanceOnly = flags['instance-only'] || snapshot !== undefined;
  const live = !flags.stateless && snapshot === undefined && original.status === 'Running';
  if (local) {
    const operation = await target.change('POST', '/1.0/instances', {
      query,
      body: {
        ...body,
        source: {
          type: 'copy',
          source: from,
          project: original.project,
          live,
          instance_only: instanceOnly,
          container_only: instanceOnly,
          ...(refresh ? { refresh } : {}),
          allow_inconsistent: flags['allow-inconsistent'],
        },
      },
    });
    const created = (operation?.resources?.['instances'] ?? []).at(-1)?.split('?')[0]?.split('/').pop();
    if (refresh) await refreshConfig(target, body, query);
    return [target, name === '' ? (created ?? '') : name];
  }
  await transferInstance({
    source: { context: source, instance, snapshot },
    target: { context: target, query },
    mode,
    live,
    instanceOnly,
    allowInconsistent: flags['allow-inconsistent'],
    refresh,
    body,
  });
  if (refresh) await refreshConfig(target, body, query);
  return [target, name];
}
