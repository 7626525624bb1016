import type { IncomingMessage } from 'node:http';
import {
  findStreamImage,
  LxdError,
  streamImages,
  streamMirrors,
  streamPaths,
  toLxdError,
  type StreamImage,
} from '@lxd-ts/core';
import { askRemote, checkRemoteImage, jsonOf, stalledMs, type RemoteImage } from './remote.ts';

/** How long a list of images is good, as LXD has it. */
const goodMs = 3_600_000;
/** For who wants to know what there is now. */
const freshMs = 1_000;
/** Of no server that is right in its head. */
const maxDocumentBytes = 64 * 1024 * 1024;

/** A file below the server's address, from a byte on. @throws LxdError */
export async function fetchFile(
  remote: RemoteImage,
  path: string,
  signal: AbortSignal,
  from = 0,
): Promise<IncomingMessage> {
  const url = checkRemoteImage(remote);
  const base = url.pathname.replace(/\/+$/, '');
  const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-` } : {};
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const { certificate } = remote;
  return askRemote(url, { certificate, path: `${base}/${encoded}`, headers, stalledMs }, signal);
}

/** The same, from the first of several places that has it. @throws LxdError what the first one says */
export async function fetchFromAny(
  remote: RemoteImage,
  mirrors: readonly string[],
  path: string,
  signal: AbortSignal,
  from: number,
): Promise<IncomingMessage> {
  try {
    return await fetchFile(remote, path, signal, from);
  } catch (error) {
    for (const server of mirrors) {
      signal.throwIfAborted();
      // It is not the one whose certificate is known.
      const other = { ...remote, server, certificate: '' };
      const response = await fetchFile(other, path, signal, from).catch(() => undefined);
      if (response) return response;
    }
    throw error;
  }
}

async function fetchJson(remote: RemoteImage, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetchFile(remote, path, signal);
  try {
    return await jsonOf(response, maxDocumentBytes);
  } catch (error) {
    throw new LxdError('unavailable', `Failed parsing stream: ${path}: ${toLxdError(error).message}`, {
      cause: error,
    });
  }
}

/** `mirrors`: other addresses that have the same files. */
interface Catalogue {
  images: StreamImage[];
  mirrors: string[];
}

interface Known {
  catalogue: Promise<Catalogue>;
  at: number;
}

export type OfferedImage = StreamImage & Pick<Catalogue, 'mirrors'>;

const findIn = ({ images, mirrors }: Catalogue, name: string): OfferedImage => ({
  ...findStreamImage(images, name),
  mirrors,
});

/** What servers of images have; looked at again after an hour, and for what is not there. */
export class StreamCatalogue {
  readonly #known = new Map<string, Known>();

  /** @param native kind of machine that plain names mean. @throws LxdError `not-found`, `unavailable` */
  async find(
    remote: RemoteImage,
    native: string,
    { fresh = false, signal }: { fresh?: boolean; signal: AbortSignal },
  ): Promise<OfferedImage> {
    const name = remote.fingerprint || remote.alias || '';
    // Who trusts another certificate has not seen this server.
    const key = `${native} ${remote.server} ${remote.certificate ?? ''}`;
    const known = this.#known.get(key);
    if (known && performance.now() - known.at < (fresh ? freshMs : goodMs)) {
      try {
        return findIn(await known.catalogue, name);
      } catch (error) {
        if (toLxdError(error).code === 'invalid') throw error;
      }
    }
    for (const [old, { at }] of this.#known) if (performance.now() - at >= goodMs) this.#known.delete(old);
    const loading: Known = { catalogue: this.#load(remote, native, signal), at: performance.now() };
    this.#known.set(key, loading);
    // What was not to be had is asked for again.
    loading.catalogue.catch(() => {
      if (this.#known.get(key) === loading) this.#known.delete(key);
    });
    return findIn(await loading.catalogue, name);
  }

  async #load(remote: RemoteImage, native: string, signal: AbortSignal): Promise<Catalogue> {
    const index = await fetchJson(remote, 'streams/v1/index.json', signal);
    let images: StreamImage[] = [];
    // One after the other: each may be large.
    for (const path of streamPaths(index))
      images = images.concat(streamImages(await fetchJson(remote, path, signal), native));
    return {
      images,
      mirrors: streamMirrors(index),
    };
  }
}
