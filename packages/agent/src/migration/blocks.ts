import { createReadStream } from 'node:fs';
import type { Host } from '@lxd-ts/host';
import type { MessageChannel } from '@lxd-ts/rpc';
import { imageWriter } from '../block-image.ts';
import { toLxdError } from '@lxd-ts/core';

const pieceBytes = 1024 * 1024;

interface Transfer {
  signal: AbortSignal;
  onBytes: (count: number) => void;
  pace?: ((bytes: number) => Promise<void>) | undefined;
}

/** The bytes of a volume of content type `block`, as they are, as the peers send them. */
export async function sendBlocks(
  image: string,
  channel: MessageChannel,
  { signal, onBytes, pace }: Transfer,
): Promise<void> {
  const from = createReadStream(image, { highWaterMark: pieceBytes, signal });
  try {
    await channel.sendAll(from, { onBytes, pace });
  } catch (error) {
    throw signal.aborted ? toLxdError(signal.reason) : error;
  } finally {
    from.destroy();
  }
  await channel.sendEnd();
}

/** The other end of it. */
export async function receiveBlocks(
  host: Host,
  image: string,
  channel: MessageChannel,
  { signal, onBytes }: Transfer,
): Promise<void> {
  await using program = await imageWriter(host, image, { signal });
  const feed = channel.receiveAll(program.stdin, onBytes).then(() => program.stdin.end());
  await Promise.all([feed, program.ended]);
}
