import { LxdError } from '@lxd-ts/core';
import type { ImageVolumeRecord, InstanceRecord, Transaction, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { Caller } from '../../http/route.ts';
import { imageUrl } from '../images/view.ts';
import { locationOf } from '../instances/context.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { poolSpec } from '../instances/spec.ts';
import type { Drivers } from '../shared/drivers.ts';
import { effectTimeoutMs } from '../shared/members.ts';
import { findPool, type VolumeAsked } from './context.ts';
import type { ListedVolume } from './list.ts';

/** Images that are unpacked in pools: caches, from which roots are cloned. They go with their image, or when they are deleted. */

export const imageVolumeUrl = ({
  pool,
  fingerprint,
}: Pick<ImageVolumeRecord, 'pool' | 'fingerprint'>): string =>
  `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/image/${fingerprint}`;

const idOf = ({ pool, fingerprint, member }: ImageVolumeRecord): [string, string, string] => [
  pool,
  fingerprint,
  member,
];

/** With the outcome of what made a root of an image: that is unpacked in the root's pool now, where such pools clone it. */
export function noteUnpacked(
  { services, drivers }: { services: Services; drivers: Pick<Drivers, 'unpacksImages'> },
  transaction: Transaction,
  { record, member, fingerprint }: { record: InstanceRecord; member: string; fingerprint: string },
): void {
  const { records } = services;
  const name = rootDisk(expandIn(services, record.project, record).devices)?.[1]['pool'] ?? '';
  const pool = records.get('pools', name)?.value;
  const isThere = records.get('imageVolumes', name, fingerprint, member) !== undefined;
  // One that was deleted meanwhile takes with it what was unpacked.
  const isGone = records.get('images', record.project, fingerprint) === undefined;
  if (!pool || !drivers.unpacksImages(pool.driver) || isThere || isGone) return;
  const volume: ImageVolumeRecord = { pool: name, fingerprint, member, description: '' };
  transaction.put('imageVolumes', idOf(volume), volume);
}

/** So many go in one transaction. */
const batch = 100;

/** They are on record no more, before what they are of goes: a volume that is not on record is a cache that nobody sees. */
export async function forgetUnpacked(
  { records }: Pick<Services, 'records'>,
  volumes: readonly ImageVolumeRecord[],
  options: { signal: AbortSignal },
): Promise<void> {
  for (let at = 0; at < volumes.length; at += batch) {
    const transaction = records.transaction();
    for (const volume of volumes.slice(at, at + batch)) transaction.remove('imageVolumes', idOf(volume));
    await transaction.commit(options);
  }
}

/** In whatever pools it is unpacked. */
export const unpackedOf = (
  { records }: Pick<Services, 'records'>,
  fingerprint: string,
): ImageVolumeRecord[] =>
  records
    .list('pools')
    .flatMap(({ value: { name } }) => records.list('imageVolumes', name, fingerprint))
    .map(({ value }) => value);

export const imageVolumeView = (services: Services, volume: ImageVolumeRecord): Record<string, unknown> => ({
  config: {},
  description: volume.description,
  name: volume.fingerprint,
  type: 'image',
  used_by: [imageUrl(volume.fingerprint)],
  location: locationOf(services, volume.member),
  content_type: 'filesystem',
  project: 'default',
  created_at: '0001-01-01T00:00:00Z',
});

/** Of a pool, or of one of its members. */
export const listImageVolumes = (services: Services, pool: string, target?: string): ListedVolume[] =>
  services.records
    .list('imageVolumes', pool)
    .map(({ value }) => value)
    .filter(({ member }) => target === undefined || member === target)
    .map((volume) => ({ url: imageVolumeUrl(volume), view: () => imageVolumeView(services, volume) }));

/** @throws LxdError `not-found` */
export function findImageVolume(services: Services, asked: VolumeAsked): Versioned<ImageVolumeRecord> {
  const { pool, name, target, via } = asked;
  findPool(services, pool);
  const all = services.records.list('imageVolumes', pool, name);
  const found =
    all.find(({ value }) => value.member === (target ?? via)) ?? (target === undefined ? all[0] : undefined);
  if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
  return found;
}

const told = ({ events }: Services, action: string, volume: ImageVolumeRecord, caller: Caller): void => {
  const { username, protocol } = caller;
  events.lifecycle({
    action: `storage-volume-${action}`,
    source: imageVolumeUrl(volume),
    project: 'default',
    requestor: { username, protocol },
  });
};

/** @throws LxdError `not-found` */
export async function describeImageVolume(
  services: Services,
  volume: ImageVolumeRecord,
  description: string,
  caller: Caller,
): Promise<void> {
  await services.records.modify('imageVolumes', idOf(volume), (value) => ({ ...value, description }), {
    signal: AbortSignal.timeout(effectTimeoutMs),
  });
  told(services, 'updated', volume, caller);
}

/** The image stays, and is unpacked again when an instance is made of it. @throws LxdError `not-found`, `unavailable` */
export async function deleteImageVolume(
  services: Services,
  asked: VolumeAsked,
  caller: Caller,
): Promise<void> {
  const { records, agents } = services;
  const { value, revision } = findImageVolume(services, asked);
  const { member, fingerprint } = value;
  const agent = agents.get(member);
  const options = { signal: AbortSignal.timeout(effectTimeoutMs) };
  // First the record: a volume that is not on record is a cache that nobody sees, the other way round would be a lie.
  await records.transaction().delete('imageVolumes', idOf(value), revision).commit(options);
  await agent.deleteImageVolume(poolSpec(findPool(services, value.pool).value, member), fingerprint, options);
  told(services, 'deleted', value, caller);
}
