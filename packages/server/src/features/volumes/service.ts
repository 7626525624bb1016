import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { Transaction, Versioned, VolumeRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { effectTimeoutMs, setOnly } from '../shared/members.ts';
import { dropBackups, renameBackups } from '../volume-backups/records.ts';
import { checkVolumeConfig, checkVolumeName, limitOf, withDefaults, type ContentType } from './config.ts';
import {
  changing,
  findPool,
  findVolume,
  idOf,
  keyOf,
  specOf,
  told,
  withoutPending,
  type VolumeAsked,
  type VolumesContext,
} from './context.ts';
import { memberOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { instanceSpec } from '../instances/spec.ts';
import { findRoot } from './roots.ts';
import { isRunningWith, moveReferences } from './references.ts';
import { volumeUsers } from './view.ts';

/** Others may change the instances that have it at the same moment. */
const attempts = 20;

const alreadyThere = 'Volume by that name already exists';

export interface NewVolume {
  description: string;
  config: Config;
  contentType?: ContentType | undefined;
  /**
   * Of content type `block`, as LXD has it: how large it is on record. What was asked for, and less than it was filled with is
   * refused; what it was filled with, whatever was asked for; or the larger one.
   */
  size?: 'asked' | 'filled' | 'larger';
  /** Snapshots that come with it, already whole when the volume is. */
  snapshots?: readonly {
    name: string;
    description: string;
    config: Config;
    createdAt: string;
    expiresAt: string;
  }[];
}

/** Idempotent; its record goes last. */
export async function remove(services: Services, record: VolumeRecord, signal: AbortSignal): Promise<void> {
  const { records, agents } = services;
  await agents.get(record.member).deleteVolume(specOf(services, record), { signal });
  const transaction = records.transaction().remove('volumes', idOf(record));
  for (const { value } of records.list('volumeSnapshots', ...snapshotPrefix(record)))
    transaction.remove('volumeSnapshots', [...snapshotPrefix(record), value.name]);
  const dropFiles = dropBackups(services, transaction, record);
  await transaction.commit({ signal });
  await dropFiles();
}

/** Of the ids of its snapshots. */
export const snapshotPrefix = ({ pool, project, name, member }: VolumeRecord) =>
  [pool, project, name, member] as [string, string, string, string];

/**
 * Makes a volume whose files `fill` brings, perhaps with snapshots that it tells of. A failure leaves nothing.
 * @param also is committed with the volume being whole
 * @param given ends the filling, however long that takes: files may be many
 * @throws LxdError `conflict`, `invalid`, `not-found`
 */
export async function makeVolume(
  { services, working, drivers }: VolumesContext,
  place: Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>,
  { description, config, contentType, size = 'asked', snapshots = [] }: NewVolume,
  fill: (record: VolumeRecord, signal: AbortSignal) => Promise<NewVolume['snapshots'] | void>,
  also: (transaction: Transaction) => void = () => undefined,
  given: AbortSignal = AbortSignal.timeout(effectTimeoutMs),
): Promise<VolumeRecord> {
  const { records, server, clock, agents } = services;
  const pool = findPool(services, place.pool);
  checkVolumeName(place.name);
  const { pool: of, project, name, member } = place;
  if (records.get('volumes', of, project, name, member)) throw new LxdError('conflict', alreadyThere);
  if (contentType === 'block' && !drivers.blockVolumes(pool.value.driver))
    throw new LxdError(
      'unsupported',
      `Storage pool "${of}" (${pool.value.driver}) has no volumes of content type "block"`,
    );
  const set = withDefaults(pool.value.config, setOnly(config), contentType);
  checkVolumeConfig(project, name, set, contentType);
  const createdAt = clock.now().toISOString();
  const content = contentType ? { contentType } : {};
  const record: VolumeRecord = {
    ...{ pool: of, project, name, member, ...content, description, config: set, createdAt },
  };
  const id = idOf(record);
  if (!Object.hasOwn(pool.value.memberConfig, member) || pool.value.pending?.kind === 'delete')
    throw new LxdError('not-found', `Member "${member}" has no storage pool "${of}"`);
  return working.during(keyOf(id), async () => {
    let signal = AbortSignal.timeout(effectTimeoutMs);
    const pending = { kind: 'create' as const, operation: '', server };
    await records
      .transaction()
      .create('volumes', id, { ...record, pending })
      // Nobody deletes the pool meanwhile.
      .guard('pools', [of], pool.revision)
      .commit({ signal });
    let isWhole = false;
    try {
      const came = (await fill(record, given)) ?? snapshots;
      signal = AbortSignal.timeout(effectTimeoutMs);
      const agent = agents.get(member);
      const spec = specOf(services, record);
      const filled =
        contentType === 'block' && size !== 'asked' ? await agent.volumeSize(spec, { signal }) : 0;
      const asked = limitOf(set);
      const isAsked = filled === 0 || (size === 'larger' && (asked === null || asked >= filled));
      const whole = isAsked ? record : { ...record, config: { ...set, size: String(filled) } };
      const limit = limitOf(whole.config);
      if (limit !== null) await agent.limitVolume(spec, limit, { signal });
      const { revision } = records.get('volumes', ...id) ?? { revision: 0 };
      const transaction = records.transaction().update('volumes', id, revision, whole);
      for (const snapshot of came) {
        const own = withDefaults(pool.value.config, snapshot.config, contentType);
        const value = { pool: of, project, volume: name, member, ...snapshot, config: own };
        transaction.create('volumeSnapshots', [of, project, name, member, snapshot.name], value);
      }
      also(transaction);
      isWhole = true;
      await transaction.commit({ signal });
      return whole;
    } catch (error) {
      // etcd may have taken the outcome although it did not say so: recovery looks at what is on record.
      if (isWhole && toLxdError(error).code === 'unavailable') throw error;
      await remove(services, record, AbortSignal.timeout(effectTimeoutMs)).catch((failure: unknown) =>
        services.log.error('taking back a half made volume failed; it is tried again later', {
          volume: name,
          error: toLxdError(failure).message,
        }),
      );
      throw error;
    }
  });
}

/** An empty one. */
export async function createVolume(
  context: VolumesContext,
  place: Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>,
  wanted: NewVolume,
  caller: Caller,
): Promise<void> {
  const { services } = context;
  const made = await makeVolume(context, place, wanted, (record, signal) =>
    services.agents.get(record.member).createVolume(specOf(services, record), { signal }),
  );
  told(services, 'created', made, caller);
}

/** @param next of what it is */
export async function updateVolume(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  next: { config: Config; description: string },
  caller: Caller,
): Promise<void> {
  const { services } = context;
  const before = found.value;
  const config = setOnly(next.config);
  checkVolumeConfig(before.project, before.name, config, before.contentType);
  const after = { ...before, config, description: next.description };
  const limit = limitOf(config);
  const isSame = limit === limitOf(before.config);
  const detail = { before: JSON.stringify(before) };
  await changing(
    context,
    found,
    { kind: 'update', detail },
    async (signal) => {
      if (!isSame)
        await services.agents.get(before.member).limitVolume(specOf(services, before), limit, { signal });
    },
    { after },
  );
  told(services, 'updated', after, caller);
}

/** @throws LxdError `invalid` while it is used */
export async function deleteVolume(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  caller: Caller,
): Promise<void> {
  const { services } = context;
  const mustBeFree = () => {
    if (volumeUsers(services, found.value))
      throw new LxdError('invalid', 'The storage volume is still in use');
  };
  mustBeFree();
  await changing(context, found, { kind: 'delete' }, async (signal) => {
    // Somebody may have begun to use it before the intent was on record.
    mustBeFree();
    await remove(services, found.value, signal);
  });
  told(services, 'deleted', found.value, caller);
}

/** The effect is done again where it was cut off; then every record speaks of the new name, at once. */
export async function finishRename(
  services: Services,
  record: VolumeRecord,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const { records, agents } = services;
  const before = withoutPending(record);
  const after = { ...before, name: to };
  await agents.get(record.member).renameVolume(specOf(services, before), specOf(services, after), { signal });
  for (let attempt = 0; ; attempt++) {
    const { revision = 0 } = records.get('volumes', ...idOf(record)) ?? {};
    const transaction = records
      .transaction()
      .delete('volumes', idOf(record), revision)
      .create('volumes', idOf(after), after);
    for (const { value } of records.list('volumeSnapshots', ...snapshotPrefix(record)))
      transaction
        .remove('volumeSnapshots', [...snapshotPrefix(record), value.name])
        .put('volumeSnapshots', [...snapshotPrefix(after), value.name], { ...value, volume: to });
    renameBackups(services, transaction, before, after);
    moveReferences(services, transaction, before, { pool: before.pool, name: to });
    try {
      return await transaction.commit({ signal });
    } catch (error) {
      if (attempt >= attempts || toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
}

/** @throws LxdError `conflict`, `invalid`, `internal` while an instance that has it runs */
export async function renameVolume(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  to: string,
  caller: Caller,
): Promise<void> {
  const { services } = context;
  const { value } = found;
  checkVolumeName(to);
  if (services.records.get('volumes', ...idOf({ ...value, name: to })))
    throw new LxdError('conflict', alreadyThere);
  if (isRunningWith(services, value))
    throw new LxdError('internal', 'Volume is still in use by running instances');
  const undo = (signal: AbortSignal) =>
    services.agents
      .get(value.member)
      .renameVolume(specOf(services, { ...value, name: to }), specOf(services, value), { signal });
  await changing(
    context,
    found,
    { kind: 'rename', detail: { to } },
    (signal) => finishRename(services, value, to, signal),
    { undo },
  );
  told(services, 'renamed', { ...value, name: to }, caller, { context: { old_name: value.name } });
}

/** The same of an instance's root. */
export async function rootState(services: Services, asked: VolumeAsked, signal: AbortSignal) {
  const record = findRoot(services, asked);
  const member = memberOf(services, record.project, record.name);
  const [root = 'root'] = rootDisk(expandIn(services, record.project, record).devices) ?? [];
  const [state] = await services.agents
    .get(member)
    .instanceStates([instanceSpec(services, record, member)], { signal });
  const { usage, total = 0 } = state?.disk[root] ?? {};
  return { usage: { ...(usage === undefined ? {} : { used: usage }), total } };
}

/** How much is in it and may be, in bytes. */
export async function volumeState(services: Services, asked: VolumeAsked, signal: AbortSignal) {
  const { value } = findVolume(services, asked);
  const used = await services.agents.get(value.member).volumeUsage(specOf(services, value), { signal });
  return { usage: { ...(used === null ? {} : { used }), total: limitOf(value.config) ?? 0 } };
}
