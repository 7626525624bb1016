import { LxdError, toLxdError } from '@lxd-ts/core';
import type { ShiftedRange } from '@lxd-ts/liblxc';
import type { MessageChannel, MigratedSnapshot, wire } from '@lxd-ts/rpc';
import { receiveByBtrfs } from './btrfs.ts';
import { readHeader, readOutcome, sendHeader, sendOutcome } from './control.ts';
import { readJson, sendJson } from './json-part.ts';
import { openLanding, type Landing, type VolumePlaces } from './landing.ts';
import { nearestCause } from './nearest-cause.ts';
import { agree, makeAnswer, superseded, type Agreement, type Transport } from './negotiate.ts';
import { headerRanges, snapshotRanges, unshifted } from './id-ranges.ts';
import { progress } from './progress.ts';
import { receiveByRsync } from './rsync.ts';
import { checkSnapshotName, migratedSnapshot } from './snapshot-item.ts';
import type { Streams } from './source.ts';
import type { SubvolumeTools } from './subvolumes.ts';

export interface SinkOptions extends SubvolumeTools {
  name: string;
  transports: readonly Transport[];
  places: VolumePlaces;
  subvolumes: boolean;
  /** Snapshots that are there, to be brought up to date with the volume; undefined: all is new. */
  present: readonly Pick<MigratedSnapshot, 'name' | 'createdAt'>[] | undefined;
  /** A volume that what comes by rsync probably differs little from. */
  base?: string | undefined;
  compress: boolean;
  /** Of a custom volume: which key of a snapshot says how its files are shifted, and how those of the volume are. */
  shifted?: { key: string; volume: readonly ShiftedRange[] };
  /** Gives files whose ids are shifted like this the ids they have inside. */
  unshift(directory: string, ranges: readonly ShiftedRange[], signal: AbortSignal): Promise<void>;
  signal: AbortSignal;
  onProgress?: ((progress: Record<string, string>) => void) | undefined;
}

export interface Received {
  /** Those that came, oldest first. */
  snapshots: MigratedSnapshot[];
  /** Snapshots that were there and are no more. */
  gone: string[];
  /** What the other server said of the volume; undefined when it said nothing. */
  index: unknown;
}

async function readIndex(filesystem: MessageChannel, refresh: boolean): Promise<unknown> {
  const index = (await readJson(filesystem)) as { config?: unknown } | null;
  await sendJson(filesystem, { StatusCode: 200, Error: '', Refresh: refresh });
  return index?.config;
}

async function transfer(
  options: SinkOptions,
  agreement: Agreement,
  landing: Landing,
  filesystem: MessageChannel,
): Promise<void> {
  const { host, signal } = options;
  const onBytes = progress(options.name, () => performance.now(), options.onProgress);
  if (agreement.transport === 'btrfs') {
    await receiveByBtrfs(options, agreement, landing, options.places.snapshots, filesystem, {
      signal,
      onBytes,
    });
    return;
  }
  const round = () => receiveByRsync(host, agreement.rsync, landing.volume, filesystem, { signal, onBytes });
  for (const name of agreement.snapshots) {
    await round();
    await landing.keepSnapshot(name);
  }
  await round();
  if (agreement.again) await round();
}

const startOf = (
  options: SinkOptions,
  { transport, refresh }: Agreement,
): 'empty' | 'present' | { copyOf: string } => {
  if (transport === 'rsync' && refresh) return 'present';
  return transport === 'rsync' && options.base !== undefined ? { copyOf: options.base } : 'empty';
};

/** Some keep files with the ids of the host, each state with its own: here they have those inside. */
async function straighten(
  { unshift, shifted }: SinkOptions,
  landing: Landing,
  offer: wire.Header,
  came: readonly MigratedSnapshot[],
  signal: AbortSignal,
): Promise<MigratedSnapshot[]> {
  const straight: MigratedSnapshot[] = [];
  for (const snapshot of came) {
    const ranges = snapshotRanges(snapshot, shifted?.key);
    if (ranges.length > 0)
      await landing.rewrite(snapshot.name, (directory) => unshift(directory, ranges, signal));
    straight.push(ranges.length > 0 ? unshifted(snapshot, shifted?.key) : snapshot);
  }
  const ranges = [...headerRanges(offer), ...(shifted?.volume ?? [])];
  if (ranges.length > 0) await landing.rewrite(undefined, (directory) => unshift(directory, ranges, signal));
  return straight;
}

async function receive(options: SinkOptions, streams: Streams, failed: AbortController): Promise<Received> {
  const { control, filesystem } = streams;
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const offer = await readHeader(control);
  for (const name of offer.snapshotNames) checkSnapshotName(name);
  const answer = makeAnswer(offer, options);
  await sendHeader(control, answer);
  const agreement = agree(offer, answer);
  // It says no more unless it fails.
  const lost = readOutcome(control).then(
    () => {
      throw new LxdError('internal', 'The other server ended the migration early');
    },
    (error: unknown) => {
      failed.abort(toLxdError(error));
      filesystem.destroy(toLxdError(error));
      throw error;
    },
  );
  lost.catch(() => undefined);
  const index = agreement.index ? await readIndex(filesystem, agreement.refresh) : undefined;
  await using landing = await openLanding({
    ...options,
    start: startOf(options, agreement),
    signal,
  });
  await nearestCause(transfer({ ...options, signal }, agreement, landing, filesystem), lost);
  const came = offer.snapshots
    .filter(({ name }) => agreement.snapshots.includes(name ?? ''))
    .map(migratedSnapshot);
  const snapshots = await straighten(options, landing, offer, came, signal);
  const gone = options.present ? superseded(offer, options.present) : [];
  await landing.commit(gone);
  return { snapshots, gone, index };
}

/**
 * The receiving end. Resolves when everything is at its place; the other side hears of the success when whoever asked has
 * it on record, by `sendOutcome`. A failure is told at once.
 */
export async function runSink(options: SinkOptions, streams: Streams): Promise<Received> {
  const failed = new AbortController();
  const { control, filesystem } = streams;
  const onAbort = () => {
    filesystem.destroy(toLxdError(options.signal.reason));
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await receive(options, streams, failed);
  } catch (error) {
    const reason = options.signal.aborted ? toLxdError(options.signal.reason) : toLxdError(error);
    await sendOutcome(control, false, reason.message).catch(() => undefined);
    control.close();
    throw reason;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    filesystem.close();
  }
}
