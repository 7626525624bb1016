import {
  checkPoolName,
  LxdError,
  toLxdError,
  type Config,
  type ConfigSchema,
  type PoolSpec,
} from '@lxd-ts/core';
import type { FoundVolume } from '@lxd-ts/rpc';
import type { PoolRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { fields, text, texts } from '../backups/fields.ts';
import { poolSpec } from '../instances/spec.ts';
import type { Drivers } from '../shared/drivers.ts';
import { partConfig, setOnly } from '../shared/members.ts';
import { checkPoolConfig } from '../storage-pools/create.ts';

/** A pool as `lxd recover` sends it; one that is on record is looked at as that says. */
export interface RecoverPool {
  name?: string;
  driver?: string;
  description?: string;
  config?: Config | null;
}

export interface RecoverRequest {
  pools?: RecoverPool[] | null;
}

/** A pool, and what of it nobody knows. */
export interface Scanned {
  spec: PoolSpec;
  description: string;
  /** Absent: it is not on record. */
  record?: PoolRecord;
  /** This member's own options, where its part of a pool that is on record is not. */
  part?: Config;
  volumes: FoundVolume[];
}

export interface ScanContext {
  services: Services;
  drivers: Pick<Drivers, 'pool'>;
}

const scanMs = 600_000;

const prefixed = (prefix: string, error: unknown): LxdError => {
  const { code, message } = toLxdError(error);
  return new LxdError(code === 'unavailable' ? code : 'internal', `${prefix}: ${message}`, { cause: error });
};

/**
 * A pool that other members have, with what the request says of the member's own part; undefined where it does not say where
 * that is.
 */
function partFor(
  schema: ConfigSchema,
  { driver, config }: RecoverPool,
  record: PoolRecord,
): Scanned | undefined {
  const { name, description } = record;
  const part = setOnly(partConfig(schema, config ?? {}).own);
  if (part['source'] === undefined) return undefined;
  if (driver !== record.driver)
    throw new LxdError(
      'invalid',
      `Failed to initialise pool "${name}": Its driver is "${record.driver}" on other members, not "${driver ?? ''}"`,
    );
  checkAsked(name, schema, part);
  const spec = { name, driver, config: { ...record.config, ...part } };
  return { spec, description, record, part, volumes: [] };
}

function checkAsked(name: string, schema: ConfigSchema, config: Config): void {
  try {
    checkPoolConfig(schema, config);
  } catch (error) {
    throw prefixed(`Failed to initialise unknown pool "${name}"`, error);
  }
}

/** @returns undefined for a pool that the member has no part of @throws LxdError worded as LXD's */
function specFor({ services, drivers }: ScanContext, pool: RecoverPool, member: string): Scanned | undefined {
  const { name = '', driver = '', description = '' } = pool;
  const record = services.records.get('pools', name)?.value;
  if (record?.memberConfig[member])
    return { spec: poolSpec(record, member), description, record, volumes: [] };
  if (record) return partFor(drivers.pool(record.driver) ?? {}, pool, record);
  checkPoolName(name);
  const schema = drivers.pool(driver);
  if (!schema) throw new LxdError('internal', `Failed to initialise unknown pool "${name}": Unknown driver`);
  const config = setOnly(pool.config ?? {});
  checkAsked(name, schema, config);
  return { spec: { name, driver, config }, description, volumes: [] };
}

/**
 * Whether it is on record that there is such a volume. In a pool that members share it may be there as another's; an
 * instance's name is its own, in whatever pool it is.
 */
function isKnown(
  { services: { records }, drivers }: ScanContext,
  pool: PoolSpec,
  { type, project, name }: FoundVolume,
  member: string,
): boolean {
  if (type !== 'custom') return records.get('instances', project, name) !== undefined;
  const isShared = drivers.pool(pool.driver)?.['source']?.memberSpecific !== true;
  return records
    .list('volumes', pool.name, project, name)
    .some(({ value }) => isShared || value.member === member);
}

/** @throws LxdError `invalid` where a description is that of another */
function checkDescription(pool: string, { project, name, description, problem }: FoundVolume): void {
  if (problem !== undefined)
    throw new LxdError('not-found', `Failed checking volumes on pool "${pool}": ${problem}`);
  const container = fields(fields(description)['container'] ?? fields(description)['instance']);
  const said = text(container['name']);
  const inProject = text(container['project']) || 'default';
  if (said !== name || inProject !== project)
    throw new LxdError(
      'invalid',
      `Failed checking volumes on pool "${pool}": Instance "${name}" in project "${project}" has a backup file of "${said}" in project "${inProject}"`,
    );
}

/** Looks at each pool, on the member; nothing in it, and no record, changes. @param given ends it when nobody waits any more */
export async function scan(
  context: ScanContext,
  { pools }: RecoverRequest,
  member: string,
  given: AbortSignal,
): Promise<Scanned[]> {
  const { services } = context;
  const named = new Map((pools ?? []).map((pool) => [pool.name ?? '', pool]));
  const all: Scanned[] = [];
  for (const pool of named.values()) {
    const scanned = specFor(context, pool, member);
    if (!scanned) continue;
    const { name } = scanned.spec;
    const signal = AbortSignal.any([given, AbortSignal.timeout(scanMs)]);
    const found = await services.agents
      .get(member)
      .scanPool(scanned.spec, { signal })
      .catch((error: unknown) => {
        throw prefixed(`Failed mounting pool "${name}"`, error);
      });
    scanned.volumes = found.filter((volume) => !isKnown(context, scanned.spec, volume, member));
    for (const volume of scanned.volumes) if (volume.type === 'container') checkDescription(name, volume);
    all.push(scanned);
  }
  return all;
}

/** What must be there before these can be taken in, in LXD's words. */
export function dependencyErrors({ records }: Services, scanned: readonly Scanned[]): string[] {
  const missing = new Set<string>();
  for (const { project, type, description } of scanned.flatMap(({ volumes }) => volumes)) {
    if (project !== 'default') {
      missing.add(`Project "${project}"`);
      continue;
    }
    if (type !== 'container') continue;
    const container = fields(fields(description)['container'] ?? fields(description)['instance']);
    for (const profile of texts(container['profiles']))
      if (!records.get('profiles', project, profile))
        missing.add(`Profile "${profile}" in project "${project}"`);
  }
  return [...missing];
}

/** LXD's answer. */
export function validateView(services: Services, scanned: readonly Scanned[]): Record<string, unknown> {
  const unknown = scanned.flatMap(({ spec, volumes }) =>
    volumes.map(({ name, type, project, snapshots }) => ({
      name,
      type: type === 'custom' ? 'volume' : 'container',
      snapshotCount: snapshots.length,
      project,
      pool: spec.name,
    })),
  );
  const missing = dependencyErrors(services, scanned);
  const orNull = <T>(list: T[]): T[] | null => (list.length > 0 ? list : null);
  return { UnknownVolumes: orNull(unknown), DependencyErrors: orNull(missing) };
}
