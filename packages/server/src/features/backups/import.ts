import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { LxdError, type Config, type Devices } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { BackupSource, MigratedSnapshot } from '@lxd-ts/rpc';
import { headerOf } from '../../http/header-of.ts';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { InstancesContext } from '../instances/context.ts';
import { createInstance } from '../instances/create.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import type { InstancesPost } from '../instances/requests.ts';
import { configIn as config, devicesIn as devices, fields, list, text, texts, time } from './fields.ts';
import { takeInBackup } from './take-in.ts';

/** A backup that was taken in, and what it becomes. */
export interface ImportedBackup {
  member: string;
  source: BackupSource;
  /** Oldest first. */
  snapshots: MigratedSnapshot[];
  /** ISO 8601; empty: unsaid. */
  createdAt: string;
}

export interface ImportRequest {
  project: string;
  headers: IncomingHttpHeaders;
  body: Readable;
  caller: Caller;
  target?: string;
}

/** Files are kept with the ids inside, whatever they were there. */
const unshifted = (of: Config): Config => ({ ...of, 'volatile.last_state.idmap': '[]' });

function snapshotOf(value: unknown): MigratedSnapshot {
  const snapshot = fields(value);
  return {
    name: text(snapshot['name']),
    config: config(snapshot['config']),
    devices: devices(snapshot['devices']),
    profiles: texts(snapshot['profiles']),
    ephemeral: snapshot['ephemeral'] === true,
    stateful: false,
    architecture: text(snapshot['architecture']),
    createdAt: time(snapshot['created_at']),
    lastUsedAt: time(snapshot['last_used_at']),
    expiresAt: time(snapshot['expires_at']),
  };
}

/** What the instance was and must not be here: it is another start, and its addresses may be somebody's. */
function ownConfig(services: Services, before: Config): Config {
  const dropped = /^volatile\.(last_state\.power|last_state\.idmap|idmap\..*|.+\.host_name)$/;
  return Object.fromEntries(
    Object.entries(before).filter(
      ([key, value]) => !dropped.test(key) && !(key.endsWith('.hwaddr') && services.hwaddrs.isTaken(value)),
    ),
  );
}

/** As LXD: the pool that is asked for, that of the backup, or that of the default profile. */
function placed(services: Services, project: string, post: InstancesPost, pool: string): Devices {
  const own = post.devices ?? {};
  const expanded = expandIn(services, project, {
    config: {},
    devices: own,
    profiles: post.profiles ?? [],
  }).devices;
  const root = rootDisk(expanded);
  if (root?.[1]['pool'] === pool) return own;
  const [name, device] = rootDisk(own) ?? [root?.[0] ?? 'root', root?.[1] ?? { type: 'disk', path: '/' }];
  return { ...own, [name]: { ...device, pool } };
}

function poolFor({ records }: Services, project: string, asked: string, was: string): string {
  if (asked !== '') {
    if (!records.get('pools', asked))
      throw new LxdError('internal', 'Storage pool not found: Storage pool not found');
    return asked;
  }
  if (records.get('pools', was)) return was;
  const profile = records.get('profiles', project, 'default')?.value;
  const pool = profile && rootDisk(profile.devices)?.[1]['pool'];
  if (pool) return pool;
  throw new LxdError('invalid', `Storage pool "${was}" of the backup is not here; name another one`);
}

/** @throws LxdError */
export async function importInstance(
  context: InstancesContext,
  { project, headers, body, caller, target }: ImportRequest,
  signal: AbortSignal,
): Promise<OperationView> {
  const { services } = context;
  const asked = headerOf(headers, 'x-lxd-pool');
  const memberOf = (): string => {
    const online = services.agents.online();
    const member = target ?? (online.includes(services.server) ? services.server : online[0]);
    if (member === undefined) throw new LxdError('unavailable', 'No member is online');
    poolFor(services, project, asked, '');
    return member;
  };
  return takeInBackup(services, { memberOf, body }, signal, ({ id, member, index }) => {
    const described = fields(index['config']);
    const was = fields(described['container'] ?? described['instance']);
    if (text(was['name']) === '') throw new LxdError('invalid', 'Backup is missing index.yaml');
    const names = texts(index['snapshots']);
    const snapshots = list(described['snapshots'])
      .map(snapshotOf)
      .filter(({ name }) => names.includes(name))
      .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
    const before = config(was['config']);
    const post: InstancesPost = {
      name: headerOf(headers, 'x-lxd-name') || text(index['name']),
      architecture: text(was['architecture']),
      config: ownConfig(services, before),
      devices: devices(was['devices']),
      profiles: texts(was['profiles']),
      ephemeral: was['ephemeral'] === true,
      description: text(was['description']),
    };
    const pool = poolFor(services, project, asked, text(index['pool']));
    const backup: ImportedBackup = {
      member,
      source: {
        id,
        backend: text(index['backend']),
        optimized: index['optimized'] === true,
        snapshots: snapshots.map(({ name, config: of }) => ({ name, config: of })),
        config: before,
      },
      snapshots: snapshots.map((one) => ({ ...one, config: unshifted(one.config) })),
      createdAt: time(was['created_at']),
    };
    return createInstance(context, {
      project,
      body: { ...post, devices: placed(services, project, post, pool) },
      caller,
      backup,
    });
  });
}
