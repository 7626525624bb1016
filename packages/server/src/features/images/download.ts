import type { IncomingMessage } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { ImagePart } from '@lxd-ts/rpc';
import { counting } from './counting.ts';

/** A file of an image, wherever it is. */
export interface RemoteFile {
  kind: ImagePart['kind'];
  /** Of a delta: what it starts from. */
  digest?: string;
  /** For messages. */
  name: string;
  /** Bytes; 0: it is not known. */
  size: number;
  /** Its answer, from a byte on where the server knows ranges (206), else the whole (200). @throws LxdError */
  open(from: number, signal: AbortSignal): Promise<IncomingMessage>;
}

const tries = 5;
const firstWaitMs = 200;

/** The bytes of a file; where the connection breaks, it goes on from there. @throws LxdError */
export async function* downloadFile(
  { name, size, open }: RemoteFile,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (let failed = 0; ;) {
    let response: IncomingMessage | undefined;
    try {
      response = await open(at, signal);
      // Who knows no ranges begins anew.
      let skip = at > 0 && response.statusCode !== 206 ? at : 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        at += rest.length;
        failed = 0;
        if (size > 0 && at > size) throw new LxdError('not-found', `it is longer than ${size} bytes`);
        yield rest;
      }
      if (size === 0 || at >= size) return;
      // It was not cut off: there is no more.
      throw new LxdError('not-found', `it ends after ${at} of ${size} bytes`);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = toLxdError(error);
      failed += 1;
      if (code === 'not-found' || code === 'forbidden' || failed > tries)
        throw new LxdError('unavailable', `Failed to download ${name}: ${message}`, { cause: error });
      await sleep(firstWaitMs * 2 ** failed, undefined, { signal });
    } finally {
      response?.destroy();
    }
  }
}

/** Files, fetched one after the other as they are read; one that is not read to its end is given up. */
export async function* downloadParts<T extends RemoteFile>(
  files: readonly T[],
  nameOf: (file: T) => string,
  { signal, update }: Pick<RunningOperation, 'signal' | 'update'>,
): AsyncGenerator<ImagePart> {
  for (const file of files) {
    const { kind, digest, size } = file;
    const body = counting(size, (text) => update({ download_progress: `${nameOf(file)}: ${text}` }));
    const over = new AbortController();
    const bytes = downloadFile(file, AbortSignal.any([signal, over.signal]));
    // What goes wrong comes out of the body.
    pipeline(Readable.from(bytes, { objectMode: false }), body, () => undefined);
    try {
      yield { kind, body, ...(digest === undefined ? {} : { digest }) };
    } finally {
      body.destroy();
      over.abort();
    }
  }
}
