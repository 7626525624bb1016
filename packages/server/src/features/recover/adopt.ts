import { toLxdError, LxdError, type Config } from '@lxd-ts/core';
import type { FoundVolume } from '@lxd-ts/rpc';
import type { PoolRecord, VolumeRecord } from '@lxd-ts/state';
import { configIn, fields, text } from '../backups/fields.ts';
import { expandIn } from '../instances/expand.ts';
import { placementRecord } from '../instances/reservation.ts';
import { instanceSpec } from '../instances/spec.ts';
import { fillVolatile } from '../instances/volatile.ts';
import { effectTimeoutMs, partConfig } from '../shared/members.ts';
import { checkPoolConfig } from '../storage-pools/create.ts';
import { recordsOf } from './records.ts';
import type { Scanned, ScanContext } from './scan.ts';

/** The owners of files may have to be put right, and there may be many. */
const adoptMs = 12 * 3_600_000;

/** What instances in it say of the pool that they were in; nothing where that is not to be used. */
function describedPool({ drivers }: ScanContext, { spec, volumes }: Scanned): Config {
  for (const { description } of volumes) {
    const said = fields(fields(description)['pool']);
    if (text(said['driver']) !== spec.driver) continue;
    const config = Object.fromEntries(
      Object.entries(configIn(said['config'])).filter(([key]) => !key.startsWith('volatile.')),
    );
    try {
      checkPoolConfig(drivers.pool(spec.driver) ?? {}, config);
      return config;
    } catch {
      // It is anybody's: what was asked for is enough.
    }
  }
  return {};
}

/** On record already: the member's part of it. */
async function adoptPool(context: ScanContext, scanned: Scanned, member: string): Promise<void> {
  const { services, drivers } = context;
  const { part } = scanned;
  const options = { signal: AbortSignal.timeout(effectTimeoutMs) };
  if (scanned.record) {
    if (part)
      await services.records.modify(
        'pools',
        [scanned.record.name],
        (pool) => ({ ...pool, memberConfig: { [member]: part, ...pool.memberConfig } }),
        options,
      );
    return;
  }
  const { name, driver, config } = scanned.spec;
  const given = { ...describedPool(context, scanned), ...config };
  const { shared, own } = partConfig(drivers.pool(driver) ?? {}, given);
  const record: PoolRecord = {
    name,
    driver,
    description: scanned.description,
    status: 'Created',
    config: shared,
    memberConfig: { [member]: own },
  };
  await services.records.transaction().create('pools', [name], record).commit(options);
}

async function adoptVolume(
  { services: { records, clock } }: ScanContext,
  pool: string,
  { project, name, snapshots, block }: FoundVolume,
  member: string,
): Promise<void> {
  const createdAt = clock.now().toISOString();
  // What it was configured with is nowhere but on record.
  const content = block ? { contentType: 'block' as const } : {};
  const record: VolumeRecord = {
    ...{ pool, project, name, member, ...content, description: '', config: {}, createdAt },
  };
  const transaction = records.transaction().create('volumes', [pool, project, name, member], record);
  for (const snapshot of snapshots)
    transaction.put('volumeSnapshots', [pool, project, name, member, snapshot], {
      ...{ pool, project, volume: name, member, name: snapshot },
      ...{ description: '', config: {}, createdAt, expiresAt: '' },
    });
  await transaction.commit({ signal: AbortSignal.timeout(effectTimeoutMs) });
}

/** Its place on the member first: cut off before it is on record, the next recovery finds it again. */
async function adoptInstance(
  { services }: ScanContext,
  pool: string,
  volume: FoundVolume,
  member: string,
): Promise<void> {
  const { records, agents, server } = services;
  const { record: found, snapshots, shifted } = recordsOf(services, pool, volume);
  const record = fillVolatile(services, found);
  const { project, name } = record;
  const spec = instanceSpec(services, record, member);
  await agents.get(member).adoptInstance(spec, shifted, { signal: AbortSignal.timeout(adoptMs) });
  const transaction = records
    .transaction()
    .create('instances', [project, name], record)
    .put('placements', [project, name], placementRecord(expandIn(services, project, record), member))
    .put('statuses', [project, name], { status: 'Stopped', pid: 0 })
    // Whoever is about to place something there looks again.
    .put('fences', [member], { by: server });
  for (const snapshot of snapshots) transaction.put('snapshots', [project, name, snapshot.name], snapshot);
  await transaction.commit({ signal: AbortSignal.timeout(effectTimeoutMs) });
}

/**
 * Takes in what was found: each pool, volume and instance is on record at once, or not at all; what is on record stays as it
 * is. Done again, it goes on with what is left.
 */
export async function adopt(
  context: ScanContext,
  scanned: readonly Scanned[],
  member: string,
): Promise<void> {
  const failing = async (what: string, work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      const { code, message } = toLxdError(error);
      throw new LxdError(
        code === 'precondition-failed' ? 'conflict' : code,
        `Failed recovering ${what}: ${message}`,
        {
          cause: error,
        },
      );
    }
  };
  for (const one of scanned) {
    const { name: pool } = one.spec;
    if (one.volumes.length === 0) continue;
    await failing(`storage pool "${pool}"`, adoptPool(context, one, member));
    for (const volume of one.volumes) {
      const { type, name, project } = volume;
      const what = `"${name}" in project "${project}" on pool "${pool}"`;
      if (type === 'custom') await failing(`volume ${what}`, adoptVolume(context, pool, volume, member));
      else await failing(`instance ${what}`, adoptInstance(context, pool, volume, member));
    }
  }
}
