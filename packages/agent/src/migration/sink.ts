import { LxdError, toLxdError } from '@lxd-ts/core';
import type { ShiftedRange } from '@lxd-ts/liblxc';
import type { MessageChannel, MigratedSnapshot } from '@lxd-ts/rpc';
import { receiveBlocks } from './blocks.ts';
import { receiveByBtrfs } from './btrfs.ts';
import { readHeader, readOutcome, sendHeader, sendOutcome } from './control.ts';
import { readJson, sendJson } from './json-part.ts';
import type { Landing, LandingStart, SubvolumeLanding } from './landing.ts';
import { nearestCause } from './nearest-cause.ts';
import { agree, makeAnswer, superseded, type Agreement, type Transport } from './negotiate.ts';
import { headerRanges, snapshotRanges, unshifted } from './id-ranges.ts';
import type { Landings } from './places.ts';
import { progress } from './progress.ts';
import { receiveByRsync } from './rsync.ts';
import { checkSnapshotName, migratedSnapshot } from './snapshot-item.ts';
import type { Streams } from './source.ts';
import type { SubvolumeTools } from './subvolumes.ts';

export interface SinkOptions extends SubvolumeTools {
  name: string;
  transports: readonly [Transport, ...Transport[]];
  landings: Landings;
  /** Snapshots that are there, to be brought up to date with the volume; undefined: all is new. */
  present: readonly Pick<MigratedSnapshot, 'name' | 'createdAt'>[] | undefined;
  /** There is a volume that what comes by rsync probably differs little from. */
  hasBase: boolean;
  compress: boolean;
  /** Throws when what the other server says of the volume is not to be received. */
  checkIndex?(index: unknown): void;
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

interface Transfer {
  options: SinkOptions;
  agreement: Agreement;
  filesystem: MessageChannel;
  /** Some keep files with the ids of the host, each state with its own: here they have those inside. */
  straighten(snapshot: string | undefined): ((directory: string) => Promise<void>) | undefined;
}

async function transferSubvolumes(
  landing: SubvolumeLanding,
  snapshots: string,
  { options, agreement, filesystem, straighten }: Transfer,
): Promise<void> {
  const { name, signal, onProgress } = options;
  const onBytes = progress(name, () => performance.now(), onProgress);
  await receiveByBtrfs(options, agreement, landing, snapshots, filesystem, { signal, onBytes });
  for (const state of [...agreement.snapshots, undefined]) {
    const change = straighten(state);
    if (change) await landing.rewrite(state, change);
  }
}

async function transferFiles(
  landing: Landing,
  { options, agreement, filesystem, straighten }: Transfer,
): Promise<void> {
  const { host, name: of, signal, onProgress } = options;
  const onBytes = progress(of, () => performance.now(), onProgress);
  const { image } = landing;
  const round = () =>
    agreement.transport === 'blocks' && image !== undefined
      ? receiveBlocks(host, image, filesystem, { signal, onBytes })
      : receiveByRsync(host, agreement.rsync, landing.volume, filesystem, { signal, onBytes });
  for (const name of agreement.snapshots) {
    await round();
    await landing.keepSnapshot(name, straighten(name));
  }
  await round();
  if (agreement.again) await round();
  await straighten(undefined)?.(landing.volume);
}

const startOf = ({ hasBase }: SinkOptions, { transport, refresh }: Agreement): LandingStart => {
  if (transport !== 'btrfs' && refresh) return 'present';
  return transport === 'rsync' && hasBase ? 'base' : 'empty';
};

async function receive(options: SinkOptions, streams: Streams, failed: AbortController): Promise<Received> {
  const { control, filesystem } = streams;
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const offer = await readHeader(control);
  for (const name of offer.snapshotNames) checkSnapshotName(name);
  const answer = makeAnswer(offer, options);
  await sendHeader(control, answer);
  const agreement = agree(offer, answer, options.transports);
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
  options.checkIndex?.(index);
  const came = offer.snapshots
    .filter(({ name }) => agreement.snapshots.includes(name ?? ''))
    .map(migratedSnapshot);
  const { shifted } = options;
  const rangesOf = (name: string | undefined): ShiftedRange[] => {
    if (name === undefined) return [...headerRanges(offer), ...(shifted?.volume ?? [])];
    const snapshot = came.find((one) => one.name === name);
    return snapshot ? snapshotRanges(snapshot, shifted?.key) : [];
  };
  const transfer: Transfer = {
    options: { ...options, signal },
    agreement,
    filesystem,
    straighten: (name) => {
      const ranges = rangesOf(name);
      return ranges.length > 0 ? (directory) => options.unshift(directory, ranges, signal) : undefined;
    },
  };
  const { subvolumes, open } = options.landings;
  const start = startOf(options, agreement);
  const streamed = agreement.transport === 'btrfs' ? await subvolumes?.open(start, { signal }) : undefined;
  await using landing = streamed ?? (await open(start, { signal, bytes: offer.volumeSize }));
  const transferring =
    streamed && subvolumes
      ? transferSubvolumes(streamed, subvolumes.snapshots, transfer)
      : transferFiles(landing, transfer);
  await nearestCause(transferring, lost);
  const snapshots = came.map((one) => (rangesOf(one.name).length > 0 ? unshifted(one, shifted?.key) : one));
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
