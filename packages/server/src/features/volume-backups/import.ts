import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { LxdError, type Config } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { BackupSource } from '@lxd-ts/rpc';
import { drain } from '../../http/drain.ts';
import type { Caller } from '../../http/route.ts';
import { configIn, fields, list, text, texts, time } from '../backups/fields.ts';
import { dropFile } from '../backups/files.ts';
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

const headerOf = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
};

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

/** The backup is read before the operation is answered, as clients expect who send all of it before they listen. */
export async function importVolume(
  context: VolumesContext,
  request: VolumeImport,
  signal: AbortSignal,
): Promise<OperationView> {
  try {
    return await takeIn(context, request, signal);
  } finally {
    await drain(request.body, signal);
  }
}

async function takeIn(
  context: VolumesContext,
  { pool, project, member, headers, body, caller }: VolumeImport,
  signal: AbortSignal,
): Promise<OperationView> {
  const { services } = context;
  // As LXD words it here.
  if (!services.records.get('pools', pool))
    throw new LxdError('not-found', 'Storage pool not found: Storage pool not found');
  const id = services.uuid();
  const agent = services.agents.get(member);
  const { index } = await agent.receiveBackup(id, body, { signal });
  const forget = () => dropFile(services, { id, member, name: id, instance: '' });
  try {
    const { source, wanted, name: was } = wantedOf(index, services.clock.now().toISOString());
    const name = headerOf(headers, 'x-lxd-name') || was;
    return await services.operations.start({
      class: 'task',
      description: 'Restoring custom volume backup',
      project,
      resources: { storage_volumes: [`/1.0/storage_volumes/${name}`] },
      mayCancel: false,
      run: async () => {
        try {
          const made = await makeVolume(context, { pool, project, name, member }, wanted, (record, until) =>
            agent.restoreVolumeBackup(specOf(services, record), { id, ...source }, { signal: until }),
          );
          told(services, 'created', made, caller);
        } finally {
          await forget();
        }
      },
    });
  } catch (error) {
    await forget();
    throw error;
  }
}
