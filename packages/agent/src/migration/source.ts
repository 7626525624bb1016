import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { MessageChannel, MigratedSnapshot, wire } from '@lxd-ts/rpc';
import { sendBlocks } from './blocks.ts';
import { sendByBtrfs } from './btrfs.ts';
import { readHeader, readOutcome, sendHeader, sendOutcome } from './control.ts';
import { readJson, sendJson } from './json-part.ts';
import { nearestCause } from './nearest-cause.ts';
import { agree, makeOffer, type Agreement, type Transport } from './negotiate.ts';
import { pace, progress } from './progress.ts';
import { sendByRsync } from './rsync.ts';
import type { VolumeUse } from '@lxd-ts/storage';
import type { SubvolumeTools } from './subvolumes.ts';

export interface Streams {
  control: MessageChannel;
  filesystem: MessageChannel;
}

export interface SourceOptions extends SubvolumeTools {
  /** Of what is sent, for people. */
  name: string;
  transports: readonly [Transport, ...Transport[]];
  /** Bytes of one of content type `block`. */
  volumeSize?: number | undefined;
  /** What is sent; for btrfs a subvolume that is the sender's own while it sends. */
  volume: string;
  /** Oldest first. */
  snapshots: readonly (MigratedSnapshot & { path: string })[];
  /** Where the files of a snapshot, or of what is sent, are to be read as they are now. */
  use(snapshot: string | undefined): Promise<VolumeUse>;
  running: boolean;
  idMap?: readonly wire.IdRange[];
  /** Described in JSON before the files, as `config`. */
  index: unknown;
  compress: boolean;
  bytesPerSecond?: number | undefined;
  signal: AbortSignal;
  onProgress?: ((progress: Record<string, string>) => void) | undefined;
}

interface IndexAnswer {
  StatusCode?: number;
  Error?: string;
}

async function sendIndex(filesystem: MessageChannel, index: unknown): Promise<void> {
  await sendJson(filesystem, { config: index ?? null });
  const { StatusCode, Error: message } = ((await readJson(filesystem)) ?? {}) as IndexAnswer;
  if (StatusCode !== 200)
    throw new LxdError('internal', message ? message : 'The other server did not accept the volume');
}

async function transfer(
  options: SourceOptions,
  agreement: Agreement,
  filesystem: MessageChannel,
): Promise<void> {
  const { host, name, signal, bytesPerSecond } = options;
  if (agreement.index) await sendIndex(filesystem, options.index);
  const onBytes = progress(name, () => performance.now(), options.onProgress);
  const snapshots = options.snapshots.filter((one) => agreement.snapshots.includes(one.name));
  const limit = bytesPerSecond
    ? {
        pace: pace(
          bytesPerSecond,
          () => performance.now(),
          (ms) => sleep(ms, undefined, { signal }),
        ),
      }
    : {};
  if (agreement.transport === 'btrfs') {
    await sendByBtrfs(
      options,
      agreement,
      // All of them: the peer says what it lacks, and each is the difference from the one before.
      { volume: options.volume, snapshots: options.snapshots },
      filesystem,
      { signal, onBytes, ...limit },
    );
    return;
  }
  const rounds = [...snapshots.map((one) => one.name), undefined, ...(agreement.again ? [undefined] : [])];
  for (const snapshot of rounds) {
    await using use = await options.use(snapshot);
    if (agreement.transport === 'blocks') {
      if (use.image === undefined) throw new LxdError('internal', `"${name}" is not of content type "block"`);
      await sendBlocks(use.image, filesystem, { signal, onBytes, ...limit });
      continue;
    }
    await sendByRsync(host, agreement.rsync, use.path, filesystem, { signal, onBytes, bytesPerSecond });
  }
}

/** The sending end. Resolves when the other side has said that it has everything. */
export async function runSource(options: SourceOptions, { control, filesystem }: Streams): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const onAbort = () => {
    filesystem.destroy(toLxdError(signal.reason));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const offer = makeOffer({ ...options, idMap: options.idMap ?? [] });
    await sendHeader(control, offer);
    const agreement = agree(offer, await readHeader(control), options.transports);
    // From now on it speaks only once: how it ended, and perhaps early.
    const outcome = readOutcome(control);
    outcome.catch((error: unknown) => {
      failed.abort(toLxdError(error));
    });
    await nearestCause(transfer({ ...options, signal }, agreement, filesystem), outcome);
    await outcome;
  } catch (error) {
    const reason = options.signal.aborted ? toLxdError(options.signal.reason) : toLxdError(error);
    await sendOutcome(control, false, reason.message).catch(() => undefined);
    throw reason;
  } finally {
    signal.removeEventListener('abort', onAbort);
    filesystem.close();
    control.close();
  }
}
