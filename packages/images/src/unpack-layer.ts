import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { hexOf, LxdError, toLxdError, type OciLayer } from '@lxd-ts/core';
import type { Host } from '@lxd-ts/host';
import type { UnpackOptions } from './unpack.ts';

export interface LayerFile {
  /** The program that puts a layer, a plain tarball, onto the files of a directory. */
  unpacker: string;
  blob: string;
  layer: OciLayer;
  /** Digest of the plain tarball. */
  diffId: string;
  part: { number: number; of: number };
}

const chunkBytes = 1024 * 1024;

/**
 * A layer onto those below it. What comes out of it must be what the image's configuration says.
 * @throws LxdError `invalid`; what is in `rootfs` is then of no use
 */
export async function unpackLayer(
  host: Host,
  { unpacker, blob, layer, diffId, part }: LayerFile,
  rootfs: string,
  { signal, onProgress }: UnpackOptions,
): Promise<void> {
  const hash = createHash('sha256');
  let passed = 0;
  let told = -1;
  const watched = new Transform({
    transform(data: Buffer, _encoding, done) {
      passed += data.length;
      const percent = layer.size > 0 ? Math.floor((passed * 100) / layer.size) : 100;
      if (percent !== told) {
        told = percent;
        onProgress?.({
          create_instance_from_image_unpack_progress: `Unpack layer ${part.number} of ${part.of}: ${percent}%`,
        });
      }
      done(null, data);
    },
  });
  const counted = new Transform({
    transform(data: Buffer, _encoding, done) {
      hash.update(data);
      done(null, data);
    },
  });
  await using program = host.open([unpacker, rootfs], { signal });
  // Node's own knows one frame only, and there may be several.
  await using unpacking = layer.packing === 'zstd' ? host.open(['zstd', '-dcq'], { signal }) : undefined;
  const input = createReadStream(blob, { highWaterMark: chunkBytes });
  const failures: unknown[] = [];
  const flow = async (
    ...streams: [NodeJS.ReadableStream, ...NodeJS.ReadWriteStream[], NodeJS.WritableStream]
  ) => {
    await pipeline(streams, { signal }).catch((error: unknown) => failures.push(error));
  };
  const flows: Promise<void>[] = [];
  if (unpacking)
    flows.push(flow(input, watched, unpacking.stdin), flow(unpacking.stdout, counted, program.stdin));
  else if (layer.packing === 'gzip')
    flows.push(flow(input, watched, createGunzip({ chunkSize: chunkBytes }), counted, program.stdin));
  else flows.push(flow(input, watched, counted, program.stdin));
  // Who complains first knows best: a pipe that breaks is but what follows.
  const ends = [...(unpacking ? [unpacking.ended] : []), program.ended];
  const settled = await Promise.allSettled(ends);
  await Promise.all(flows);
  signal.throwIfAborted();
  const ended = settled.find((one) => one.status === 'rejected');
  if (ended) throw new LxdError('invalid', toLxdError(ended.reason).message, { cause: ended.reason });
  if (failures.length > 0)
    throw new LxdError('invalid', `A layer of the image cannot be read: ${toLxdError(failures[0]).message}`);
  if (hash.digest('hex') !== hexOf(diffId))
    throw new LxdError(
      'invalid',
      `Layer ${part.number} of the image is not what its configuration says (${diffId})`,
    );
}
