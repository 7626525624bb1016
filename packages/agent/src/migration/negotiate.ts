import { LxdError } from '@lxd-ts/core';
import type { MigratedSnapshot, wire } from '@lxd-ts/rpc';
import { headerRanges, snapshotRanges } from './id-ranges.ts';
import { migratedSnapshot, snapshotItem } from './snapshot-item.ts';

/** `blocks`: the bytes of a volume of content type `block`, as they are. */
export type Transport = 'rsync' | 'btrfs' | 'blocks';

/** Numbers of the wire. */
const numbers: Readonly<Record<Transport, number>> = { rsync: 0, btrfs: 1, blocks: 4 };
/** Of `memory`: the source runs, and its memory stays behind. */
const memoryStays = 2;
const indexVersion = 1;

export interface SourceSide {
  /** What it can be sent by, the best first. */
  transports: readonly [Transport, ...Transport[]];
  /** Bytes of one of content type `block`. */
  volumeSize?: number | undefined;
  /** Oldest first. */
  snapshots: readonly MigratedSnapshot[];
  running: boolean;
  /** How the files' ids are shifted; empty when they are as inside. */
  idMap: readonly wire.IdRange[];
  compress: boolean;
}

export interface SinkSide {
  /** What it can be received by, the best first. */
  transports: readonly [Transport, ...Transport[]];
  compress: boolean;
  /** What is there already and is to be brought up to date; undefined: nothing is. */
  present: readonly Pick<MigratedSnapshot, 'name' | 'createdAt'>[] | undefined;
}

/** What both sides have said they will do. */
export interface Agreement {
  transport: Transport;
  /** Names of the snapshots that are sent, in order. */
  snapshots: readonly string[];
  refresh: boolean;
  /** The volume itself is sent by rsync once more: it may have changed meanwhile. */
  again: boolean;
  /** A description in JSON comes before the files. */
  index: boolean;
  rsync: {
    xattrs: boolean;
    delete: boolean;
    compress: boolean;
    bidirectional: boolean;
    hardLinks: boolean;
    acls: boolean;
  };
  btrfs: { header: boolean; subvolumes: boolean; uuids: boolean };
}

const noSnapshots = { idMap: [], snapshotNames: [], snapshots: [] };

/** The source's first message. */
export function makeOffer(source: SourceSide): wire.Header {
  const { transports, snapshots, running, idMap, compress, volumeSize } = source;
  const btrfs = transports.includes('btrfs');
  return {
    ...noSnapshots,
    transport: numbers[transports[0]],
    ...(volumeSize === undefined ? {} : { volumeSize }),
    ...(running ? { memory: memoryStays } : {}),
    idMap: [...idMap],
    snapshotNames: snapshots.map(({ name }) => name),
    snapshots: snapshots.map(snapshotItem),
    preDump: false,
    rsync: { xattrs: true, delete: true, compress, bidirectional: true, hardLinks: true, acls: true },
    ...(btrfs
      ? { btrfs: { migrationHeader: true, headerSubvolumes: true, headerSubvolumeUuids: true } }
      : {}),
    indexHeaderVersion: indexVersion,
  };
}

const seconds = (time: string): number => (time ? Math.floor(Date.parse(time) / 1000) : 0);

/** Of the snapshots offered, those that the sink has not: another of the same name, but not of the same second, is none. */
function lacking(offered: readonly wire.SnapshotItem[], present: NonNullable<SinkSide['present']>): string[] {
  const have = new Set(present.map(({ name, createdAt }) => `${name} ${seconds(createdAt)}`));
  return offered
    .filter(({ name, created }) => !have.has(`${name} ${created ?? 0}`))
    .map(({ name = '' }) => name);
}

/** What the sink had and the source has no longer, or has anew: it goes when the refresh is done. */
export function superseded(offer: wire.Header, present: NonNullable<SinkSide['present']>): string[] {
  const kept = new Set(offer.snapshots.map(({ name, created }) => `${name} ${created ?? 0}`));
  return present
    .filter(({ name, createdAt }) => !kept.has(`${name} ${seconds(createdAt)}`))
    .map(({ name }) => name);
}

/** Whether the ids of files are others there than here, so that no state of them is the same on both sides. */
const isShifted = (offer: wire.Header): boolean =>
  headerRanges(offer).length > 0 ||
  offer.snapshots.some((item) => snapshotRanges(migratedSnapshot(item)).length > 0);

/**
 * The sink's answer: the best way both know, and of its options what both know.
 * @throws LxdError `unsupported` for what cannot be a container, `invalid` for another content type than is wanted
 */
export function makeAnswer(offer: wire.Header, sink: SinkSide): wire.Header {
  const last = sink.transports.at(-1) ?? 'rsync';
  if (offer.transport === numbers.blocks && last !== 'blocks')
    throw new LxdError(
      'unsupported',
      'Virtual machines cannot be received by this server, and a block volume only as one',
    );
  if (offer.transport === numbers.rsync && last === 'blocks')
    throw new LxdError('invalid', 'The volume of the other server is not of content type "block"');
  if (offer.memory !== undefined && offer.memory !== memoryStays)
    throw new LxdError(
      'unsupported',
      'Live migration is not supported: copy with --stateless, or stop it first',
    );
  const { rsync = {}, btrfs = {} } = offer;
  const refresh = sink.present !== undefined;
  const names = sink.present ? lacking(offer.snapshots, sink.present) : offer.snapshotNames;
  // Without a state that both have there is nothing to tell a difference from: rsync compares files.
  const common = names.length < offer.snapshotNames.length && !isShifted(offer);
  const byBtrfs =
    offer.transport === numbers.btrfs &&
    sink.transports.includes('btrfs') &&
    (!refresh || (btrfs.headerSubvolumeUuids === true && common));
  return {
    ...noSnapshots,
    transport: numbers[byBtrfs ? 'btrfs' : last],
    ...(offer.memory === undefined ? {} : { memory: offer.memory }),
    snapshotNames: names,
    snapshots: offer.snapshots.filter(({ name }) => names.includes(name ?? '')),
    preDump: false,
    rsync: {
      xattrs: rsync.xattrs ?? false,
      delete: rsync.delete ?? false,
      compress: (rsync.compress ?? false) && sink.compress,
      bidirectional: rsync.bidirectional ?? false,
      ...(rsync.hardLinks ? { hardLinks: true } : {}),
      ...(rsync.acls ? { acls: true } : {}),
    },
    refresh,
    ...(byBtrfs
      ? {
          btrfs: {
            migrationHeader: btrfs.migrationHeader ?? false,
            headerSubvolumes: btrfs.headerSubvolumes ?? false,
            headerSubvolumeUuids: btrfs.headerSubvolumeUuids ?? false,
          },
        }
      : {}),
    indexHeaderVersion: Math.min(indexVersion, offer.indexHeaderVersion ?? 0),
  };
}

/**
 * What the two messages amount to; both sides come to the same.
 * @param transports this side's
 * @throws LxdError `unsupported` when the sink answered what was not offered
 */
export function agree(offer: wire.Header, answer: wire.Header, transports: readonly Transport[]): Agreement {
  const transport = transports.find((one) => numbers[one] === answer.transport);
  if (transport === undefined || (transport === 'btrfs' && offer.transport !== numbers.btrfs))
    throw new LxdError(
      'unsupported',
      `The other server wants a transport (${answer.transport}) that is not known here`,
    );
  const both = (pick: (header: wire.Header) => boolean | undefined): boolean =>
    (pick(offer) ?? false) && (pick(answer) ?? false);
  return {
    transport,
    snapshots: answer.snapshotNames.filter((name) => offer.snapshotNames.includes(name)),
    refresh: answer.refresh ?? false,
    again: transport === 'rsync' && offer.memory !== undefined,
    index: (offer.indexHeaderVersion ?? 0) > 0 && (answer.indexHeaderVersion ?? 0) > 0,
    rsync: {
      xattrs: both(({ rsync }) => rsync?.xattrs),
      delete: both(({ rsync }) => rsync?.delete),
      compress: both(({ rsync }) => rsync?.compress),
      bidirectional: both(({ rsync }) => rsync?.bidirectional),
      hardLinks: both(({ rsync }) => rsync?.hardLinks),
      acls: both(({ rsync }) => rsync?.acls),
    },
    btrfs: {
      header: both(({ btrfs }) => btrfs?.migrationHeader),
      subvolumes: both(({ btrfs }) => btrfs?.headerSubvolumes),
      uuids: both(({ btrfs }) => btrfs?.headerSubvolumeUuids),
    },
  };
}
