import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { Versioned, VolumeRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { findPool, findVolume, idOf, keyOf, specOf, told, type VolumesContext } from './context.ts';
import { refreshFromMember, sendToMember } from './migrate.ts';
import { bringLocal, findTarget, refreshVolume } from './refresh.ts';
import { isRunningWith, moveReferences } from './references.ts';
import { makeVolume, remove, type NewVolume } from './service.ts';
import { findSnapshot, snapshotsOf } from './snapshots.ts';
import { checkVolumeName } from './config.ts';

export interface VolumeSource {
  type?: string;
  /** `NAME` or `NAME/SNAPSHOT`. */
  name?: string;
  pool?: string;
  project?: string;
  /** Without its snapshots. */
  volume_only?: boolean;
  /** One that is there is brought up to date. */
  refresh?: boolean;
}

type Place = Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>;

const whatOf = (services: Services, volume: VolumeRecord) =>
  snapshotsOf(services, volume).map(({ value }) => {
    const { name, description, config, createdAt, expiresAt } = value;
    return { name, description, config, createdAt, expiresAt };
  });

/** Within a pool it is cloned, and grows to what is asked for. */
function sizeOf(from: Place, to: Place): NonNullable<NewVolume['size']> {
  if (from.member !== to.member) return 'larger';
  return from.pool === to.pool ? 'asked' : 'filled';
}

/** @throws LxdError `conflict`, `invalid`; what is wrong with the source is the operation's failure, as LXD's */
export function startCopy(
  context: VolumesContext,
  to: Place,
  source: VolumeSource,
  given: { description?: string; config?: Config | null },
  caller: Caller,
): Promise<OperationView> {
  const { services } = context;
  checkVolumeName(to.name);
  const target = findTarget(services, to);
  if (target && source.refresh !== true) throw new LxdError('conflict', 'Volume by that name already exists');
  const { pool = '', name = '' } = source;
  const [volume = '', snapshot] = name.split('/', 2);
  return services.operations.start({
    class: 'task',
    description: 'Copying storage volume',
    project: to.project,
    resources: {},
    run: async ({ signal: ending }) => {
      findPool(services, pool);
      const asked = { pool, project: source.project || to.project, name: volume, via: to.member };
      const found = sourceOf(services, asked);
      if (found.member !== to.member && snapshot !== undefined)
        throw new LxdError(
          'unsupported',
          `The volume is on member "${found.member}": copy the snapshot there first (--target ${found.member})`,
        );
      const from = snapshot === undefined ? found : findSnapshot(services, found, snapshot).value;
      const snapshots = snapshot === undefined && source.volume_only !== true ? whatOf(services, found) : [];
      const wanted = {
        description: given.description || from.description,
        config: given.config ?? from.config,
        contentType: found.contentType,
        size: sizeOf(found, to),
        snapshots,
      };
      const alone = snapshots.length === 0;
      const present = findTarget(services, to);
      if (source.refresh === true && present) {
        if (keyOf(idOf(found)) === keyOf(idOf(present.value)))
          throw new LxdError('invalid', 'A volume cannot be brought up to date from itself');
        if (found.contentType !== present.value.contentType)
          throw new LxdError(
            'invalid',
            'A volume cannot be brought up to date from one of another content type',
          );
        const all = snapshot === undefined && source.volume_only !== true ? snapshots : undefined;
        await refreshVolume(
          context,
          present,
          (record, signal) =>
            found.member === to.member
              ? bringLocal(services, { from: found, snapshot, snapshots: all }, record, signal)
              : refreshFromMember(services, found, record, source.volume_only === true, signal),
          ending,
        );
        return;
      }
      const made = await makeVolume(
        context,
        to,
        wanted,
        (record, signal) =>
          found.member === to.member
            ? services.agents.get(to.member).copyVolume(
                specOf(services, found, snapshot),
                specOf(services, record),
                snapshots.map((one) => one.name),
                { signal },
              )
            : sendToMember(services, found, record, alone, signal),
        undefined,
        ending,
      );
      told(services, 'created', made, caller);
    },
  });
}

/** @throws LxdError `not-found`, `invalid` */
function sourceOf(
  services: Services,
  asked: { pool: string; project: string; name: string; via: string },
): VolumeRecord {
  try {
    return findVolume(services, asked).value;
  } catch (error) {
    if (toLxdError(error).code !== 'not-found') throw error;
    const which = `Storage volume "${asked.name}" in project "${asked.project}" of type "custom"`;
    throw new LxdError(
      'not-found',
      `Failed generating volume copy config: ${which} does not exist on pool "${asked.pool}": Storage volume not found`,
    );
  }
}

/**
 * To another pool, under whatever name: copied, then in one transaction whoever has it has the copy, then the first one goes.
 * @throws LxdError `conflict`, `not-found`, `internal` while an instance that has it runs
 */
export function startMove(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  to: { pool: string; name: string },
  caller: Caller,
): Promise<OperationView> {
  const { services } = context;
  const { records, operations, agents, server } = services;
  const { value } = found;
  const target = { ...to, project: value.project, member: value.member };
  checkVolumeName(to.name);
  findPool(services, to.pool);
  if (records.get('volumes', to.pool, value.project, to.name, value.member))
    throw new LxdError('conflict', 'Volume by that name already exists');
  if (isRunningWith(services, value))
    throw new LxdError('internal', 'Volume is still in use by running instances');
  return operations.start({
    class: 'task',
    description: 'Moving storage volume',
    described: 'all',
    project: value.project,
    resources: {},
    run: ({ signal: given }) =>
      context.working.during(keyOf(idOf(value)), async () => {
        const { revision = 0, value: now } = records.get('volumes', ...idOf(value)) ?? {};
        if (!now) throw new LxdError('not-found', 'Storage pool volume not found');
        if (now.pending) throw new LxdError('conflict', `The storage volume is busy: ${now.pending.kind}`);
        const snapshots = whatOf(services, now);
        const pending = { kind: 'delete' as const, operation: '', server };
        const { description, config, contentType } = now;
        const made = await makeVolume(
          context,
          target,
          { description, config, contentType, size: 'filled', snapshots },
          (record, signal) =>
            agents.get(value.member).copyVolume(
              specOf(services, now),
              specOf(services, record),
              snapshots.map((one) => one.name),
              { signal },
            ),
          (transaction) => {
            transaction.update('volumes', idOf(now), revision, { ...now, pending });
            moveReferences(services, transaction, now, to);
          },
          given,
        );
        await remove(services, now, AbortSignal.timeout(60_000));
        told(services, 'renamed', made, caller, { context: { old_name: value.name, old_pool: value.pool } });
      }),
  });
}
