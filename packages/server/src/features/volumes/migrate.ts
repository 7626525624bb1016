import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { MigratedSnapshot } from '@lxd-ts/rpc';
import type { Versioned, VolumeRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { sourceEnd } from '../migration/ends.ts';
import { sinkEnd } from '../migration/receive.ts';
import { checkVolumeConfig, checkVolumeName, type ContentType } from './config.ts';
import { specOf, told, type VolumesContext } from './context.ts';
import { findTarget, refreshVolume, type Refreshed } from './refresh.ts';
import { makeVolume, type NewVolume } from './service.ts';
import { snapshotsOf } from './snapshots.ts';
import { snapshotView, volumeView } from './view.ts';

/** Whose files have other owners than those that are seen inside say so here. */
const idmapKey = 'volatile.idmap.last';

type Place = Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>;
type Snapshots = NonNullable<NewVolume['snapshots']>;

export interface MigrationSource {
  mode?: string;
  operation?: string;
  certificate?: string;
  secrets?: Record<string, string> | null;
  volume_only?: boolean;
  refresh?: boolean;
}

export interface MigrationTarget {
  operation?: string;
  secrets?: Record<string, string> | null;
  certificate?: string;
}

const resources = ({ pool, name }: Pick<Place, 'pool' | 'name'>) => ({
  storage_volumes: [`/1.0/storage_volumes/${pool}/volumes/custom/${name}`],
});

/** What keys that only other servers have said is about their files. */
const withoutIdmap = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith('volatile.idmap.')));

/** Snapshots of volumes in the form of those of instances, which the protocol has. */
const toMigrated = (services: Services, volume: VolumeRecord): MigratedSnapshot[] =>
  snapshotsOf(services, volume)
    .map(({ value }) => value)
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
    .map(({ name, config, createdAt, expiresAt }) => ({
      name,
      config,
      devices: {},
      profiles: [],
      ephemeral: false,
      stateful: false,
      architecture: '',
      createdAt,
      lastUsedAt: '',
      expiresAt,
    }));

/** Other servers say more of a snapshot beside its files than the protocol has room for; ours do, too. */
function fromMigrated(came: readonly MigratedSnapshot[], known: Snapshots, now: string): Snapshots {
  return came.map(({ name, config, createdAt, expiresAt }) => {
    const said = known.find((one) => one.name === name);
    return {
      name,
      description: said?.description ?? '',
      config: withoutIdmap(said?.config ?? config),
      createdAt: said?.createdAt ?? (createdAt || now),
      expiresAt: said?.expiresAt ?? expiresAt,
    };
  });
}

/** LXD's description of a volume, sent before its files. */
const describe = (services: Services, volume: VolumeRecord): unknown => ({
  Container: null,
  Snapshots: null,
  Pool: null,
  Profiles: null,
  Volume: volumeView(services, volume),
  VolumeSnapshots: snapshotsOf(services, volume).map(({ value }) => snapshotView(volume, value, false)),
});

const requestOf = (services: Services, volume: VolumeRecord, alone: boolean) => ({
  snapshots: alone ? [] : toMigrated(services, volume),
  index: describe(services, volume),
});

/** What the other side is told of those that are there. */
const presentOf = (services: Services, volume: VolumeRecord) =>
  snapshotsOf(services, volume).map(({ value: { name, createdAt } }) => ({ name, createdAt }));

/**
 * The source of a migration to another server: goes to its operation, or waits for it with the secrets of ours.
 * @throws LxdError `invalid`
 */
export function startSending(
  { services }: VolumesContext,
  { value }: Versioned<VolumeRecord>,
  target: MigrationTarget | undefined,
  alone: boolean,
): Promise<OperationView> {
  const end = sourceEnd(services, target);
  return services.operations.start({
    ...end.operation,
    description: 'Migrating storage volume',
    project: value.project,
    resources: resources(value),
    run: async ({ signal, update }) => {
      try {
        await using connection = await end.open(signal);
        await services.agents
          .get(value.member)
          .sendVolume(specOf(services, value), requestOf(services, value, alone), connection.streams, {
            signal,
            onProgress: (progress) => update(progress),
          });
      } finally {
        end.close();
      }
    },
  });
}

/** The sink of a migration from another server. @throws LxdError `conflict`, `invalid`, `unsupported` */
export function startReceiving(
  context: VolumesContext,
  place: Place,
  source: MigrationSource,
  given: { description?: string; config?: Config | null; contentType: ContentType },
  caller: Caller,
): Promise<OperationView> {
  const { services } = context;
  const { contentType } = given;
  checkVolumeName(place.name);
  if (findTarget(services, place) && source.refresh !== true)
    throw new LxdError('conflict', 'Volume by that name already exists');
  const config = given.config ?? {};
  checkVolumeConfig(place.project, place.name, config, contentType);
  const end = sinkEnd(services, {
    ...(source.mode === undefined ? {} : { mode: source.mode }),
    ...(source.operation === undefined ? {} : { operation: source.operation }),
    ...(source.certificate === undefined ? {} : { certificate: source.certificate }),
    secrets: source.secrets ?? {},
  });
  return services.operations.start({
    ...end.operation,
    description: 'Creating storage volume',
    project: place.project,
    resources: resources(place),
    run: async ({ signal, update }) => {
      try {
        await using connection = await end.open(signal);
        const agent = services.agents.get(place.member);
        const wanted = {
          ...{ description: given.description ?? '', config: withoutIdmap(config) },
          ...{ contentType, size: 'larger' as const },
        };
        try {
          const present = findTarget(services, place);
          if (present) {
            const bring = async (record: VolumeRecord) => {
              const { snapshots, gone } = await agent.receiveVolume(
                specOf(services, record),
                { confirm: false, idmap: config[idmapKey] ?? '', present: presentOf(services, record) },
                connection.streams,
                { signal, onProgress: (progress) => update(progress) },
              );
              return { came: fromMigrated(snapshots, [], services.clock.now().toISOString()), gone };
            };
            await refreshVolume(context, present, bring, signal);
            await connection.tell(true, '').catch(() => undefined);
            return;
          }
          const made = await makeVolume(context, place, wanted, async (record) => {
            const { snapshots } = await agent.receiveVolume(
              specOf(services, record),
              { confirm: false, idmap: config[idmapKey] ?? '' },
              connection.streams,
              { signal, onProgress: (progress) => update(progress) },
            );
            return fromMigrated(snapshots, [], record.createdAt);
          });
          told(services, 'created', made, caller);
        } catch (error) {
          await connection.tell(false, toLxdError(error).message).catch(() => undefined);
          throw error;
        }
        // It is here, whether or not the other server still hears of it.
        await connection.tell(true, '').catch(() => undefined);
      } finally {
        end.close();
      }
    },
  });
}

/** A volume's files and snapshots from one member to another, past the control plane. @returns the snapshots that came */
export const sendToMember = async (
  services: Services,
  from: VolumeRecord,
  to: VolumeRecord,
  alone: boolean,
  given: AbortSignal,
): Promise<Snapshots> => (await acrossMembers(services, from, to, { alone }, given)).came;

/** The same of one that is there already. */
export const refreshFromMember = (
  services: Services,
  from: VolumeRecord,
  to: VolumeRecord,
  alone: boolean,
  given: AbortSignal,
): Promise<Refreshed> =>
  acrossMembers(services, from, to, { alone, present: presentOf(services, to) }, given);

async function acrossMembers(
  services: Services,
  from: VolumeRecord,
  to: VolumeRecord,
  { alone, present }: { alone: boolean; present?: { name: string; createdAt: string }[] },
  given: AbortSignal,
): Promise<Refreshed> {
  const source = services.agents.get(from.member);
  const sink = services.agents.get(to.member);
  const failed = new AbortController();
  const signal = AbortSignal.any([given, failed.signal]);
  // The sink comes for it: who connects reads at less cost.
  const streams = { kind: 'direct' as const, tickets: await source.offerMigration({ signal }) };
  // The other one would wait for it; the first cause is the one to tell.
  const fail = (error: unknown) => {
    failed.abort(error);
    throw failed.signal.reason;
  };
  const [received, sent] = await Promise.allSettled([
    sink
      .receiveVolume(
        specOf(services, to),
        { confirm: true, idmap: '', ...(present ? { present } : {}) },
        streams,
        { signal },
      )
      .catch(fail),
    source
      .sendVolume(specOf(services, from), requestOf(services, from, alone), streams, { signal })
      .catch(fail),
  ]);
  if (received.status === 'rejected') throw received.reason;
  if (sent.status === 'rejected') throw sent.reason;
  const known = snapshotsOf(services, from).map(({ value }) => value);
  const { snapshots, gone } = received.value;
  return { came: fromMigrated(snapshots, known, to.createdAt), gone };
}
