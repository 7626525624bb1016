import { Transform } from 'node:stream';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { ImagePart } from '@lxd-ts/rpc';
import type { ImageRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { splitParts } from './multipart.ts';
import {
  describeRemoteImage,
  downloadRemoteImage,
  type RemoteDescription,
  type RemoteImage,
} from './remote.ts';

/** How an image that is fetched is kept. */
export interface PullOptions {
  project: string;
  public: boolean;
  autoUpdate: boolean;
  /** It came because something else needed it. */
  cached: boolean;
  profiles: string[];
}

export interface Pulled {
  image: ImageRecord;
  /** False: it was here already. */
  fetched: boolean;
}

const isoSeconds = (seconds: number): string => (seconds > 0 ? new Date(seconds * 1000).toISOString() : '');

const progressMs = 500;

/** LXD's progress of a download: percent and rate. */
function counting(size: number, tell: (text: string) => void): Transform {
  const began = performance.now();
  let told = began;
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const now = performance.now();
      if (now - told > progressMs) {
        told = now;
        const rate = bytes / 1e6 / ((now - began) / 1e3);
        tell(
          `${size > 0 ? `${Math.floor((bytes / size) * 100)}%` : `${(bytes / 1e6).toFixed(2)}MB`} (${rate.toFixed(2)}MB/s)`,
        );
      }
      done(null, chunk);
    },
  });
}

/** Fetches images of other servers; who asks for one that is on its way waits for it. */
export class ImagePuller {
  readonly #services: Services;
  readonly #running = new Map<string, Promise<Pulled>>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** @throws LxdError */
  async pull(remote: RemoteImage, options: PullOptions, running: RunningOperation): Promise<Pulled> {
    const { signal } = running;
    const said = await describeRemoteImage(remote, signal);
    const known = this.#services.records.get('images', options.project, said.fingerprint);
    if (known) return { image: known.value, fetched: false };
    const key = `${options.project}/${said.fingerprint}`;
    const other = this.#running.get(key);
    if (other) {
      const { image } = await other;
      return { image, fetched: false };
    }
    const work = this.#fetch(remote, said, options, running);
    this.#running.set(key, work);
    try {
      return await work;
    } finally {
      this.#running.delete(key);
    }
  }

  async #fetch(
    remote: RemoteImage,
    said: RemoteDescription,
    { project, public: open, autoUpdate, cached, profiles }: PullOptions,
    running: RunningOperation,
  ): Promise<Pulled> {
    const { records, agents, server, clock } = this.#services;
    const { fingerprint } = said;
    const online = agents.online();
    const member = online.includes(server) ? server : online[0];
    if (member === undefined) throw new LxdError('unavailable', 'No member is online');
    const response = await downloadRemoteImage(remote, fingerprint, running.signal);
    const body = response.pipe(
      counting(said.size, (text) => running.update({ download_progress: `rootfs: ${text}` })),
    );
    response.once('error', (error) => body.destroy(error));
    response.once('aborted', () => body.destroy(new Error('the other server broke off')));
    let received;
    try {
      const isSplit = response.headers['content-type']?.startsWith('multipart/form-data');
      const parts: AsyncIterable<ImagePart> = isSplit
        ? splitParts(response.headers, body)
        : (async function* () {
            yield await Promise.resolve({ kind: 'unified' as const, body });
          })();
      received = await agents
        .get(member)
        .receiveImage(parts, { signal: running.signal, expected: fingerprint });
    } finally {
      response.destroy();
      body.destroy();
    }
    const image: ImageRecord = {
      project,
      fingerprint,
      filename: said.filename,
      size: received.size,
      architecture: received.architecture,
      type: received.type,
      public: open,
      autoUpdate,
      cached,
      properties: { ...received.properties, ...said.properties },
      profiles: profiles.length > 0 ? profiles : ['default'],
      createdAt: isoSeconds(received.creationDate),
      expiresAt: isoSeconds(received.expiryDate),
      lastUsedAt: '',
      uploadedAt: clock.now().toISOString(),
      members: [member],
    };
    try {
      await records
        .transaction()
        .create('images', [project, fingerprint], image)
        .commit({ signal: running.signal });
    } catch (error) {
      // Another server of the control plane was faster with the same one.
      const known = records.get('images', project, fingerprint);
      if (toLxdError(error).code === 'precondition-failed' && known)
        return { image: known.value, fetched: false };
      throw error;
    }
    return { image, fetched: true };
  }
}
