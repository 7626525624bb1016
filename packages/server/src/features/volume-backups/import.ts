import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { LxdError, type Config } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { BackupSource } from '@lxd-ts/rpc';
import { headerOf } from '../../http/header-of.ts';
import type { Caller } from '../../http/route.ts';
import { configIn, fields, list, text, texts, time } from '../backups/fields.ts';
import { takeInBackup } from '../backups/take-in.ts';
import { specOf, told, type VolumesContext } from '../volumes/context.ts';
import { makeVolume, type NewVolume } from '../volumes/service.ts';

export interface VolumeImport {
  pool: string;
  project: string;
  member: string;
  headers: IncomingHttpHeaders;
  body: Readable;
  caller: Caller;
}

/** What other servers say of the owners of files: here they are as they are seen inside. */
const withoutIdmap = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith('volatile.idmap.')));

/** What the description in a backup says, looked at piece by piece: anybody may have written it. */
function wantedOf(index: Record<string, unknown>, now: string) {
  const described = fields(index['config']);
  const volume = fields(described['volume']);
  if (text(volume['name']) === '' || text(index['type']) !== 'custom')
    throw new LxdError('invalid', 'The backup is not one of a custom volume');
  const names = texts(index['snapshots']);
  const said = list(described['volume_snapshots']).map(fields);
  const snapshots = names.map((name) => {
    const one = said.find((snapshot) => text(snapshot['name']) === name) ?? {};
    return { name, one, config: configIn(one['config']) };
  });
  const config = configIn(volume['config']);
  const source: Omit<BackupSource, 'id'> = {
    backend: text(index['backend']),
    optimized: index['optimized'] === true,
    snapshots: snapshots.map(({ name, config: of }) => ({ name, config: of })),
    config,
  };
  const wanted: NewVolume = {
    description: text(volume['description']),
    config: withoutIdmap(config),
    ...(text(volume['content_type']) === 'block' ? { contentType: 'block' as const } : {}),
    snapshots: snapshots.map(({ name, one, config: of }) => ({
      name,
      description: text(one['description']),
      config: withoutIdmap(of),
      createdAt: time(one['created_at']) || now,
      expiresAt: time(one['expires_at']),
    })),
  };
  return { source, wanted, name: text(index['name']) || text(volume['name']) };
}

export async function importVolume(
  context: VolumesContext,
  { pool, project, member, headers, body, caller }: VolumeImport,
  signal: AbortSignal,
): Promise<OperationView> {
  const { services } = context;
  const memberOf = (): string => {
    // As LXD words it here.
    if (!services.records.get('pools', pool))
      throw new LxdError('not-found', 'Storage pool not found: Storage pool not found');
    return member;
  };
  return takeInBackup(services, { memberOf, body }, signal, ({ id, agent, index, forget }) => {
    const { source, wanted, name: was } = wantedOf(index, services.clock.now().toISOString());
    const name = headerOf(headers, 'x-lxd-name') || was;
    return services.operations.start({
      class: 'task',
      description: 'Restoring custom volume backup',
      project,
      resources: { storage_volumes: [`/1.0/storage_volumes/${name}`] },
      mayCancel: false,
      run: async ({ signal: given }) => {
        try {
          const made = await makeVolume(
            context,
            { pool, project, name, member },
            wanted,
            (record, until) =>
              agent.restoreVolumeBackup(specOf(services, record), { id, ...source }, { signal: until }),
            undefined,
            given,
          );
          told(services, 'created', made, caller);
        } finally {
          await forget();
        }
      },
    });
  });
}
