import { abortable, isFalse, LxdError, toLxdError, type StreamImage } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import type { ImageRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { counting } from './counting.ts';
import { describeUrl } from './direct.ts';
import { downloadParts, type RemoteFile } from './download.ts';
import { splitParts } from './multipart.ts';
import { describeOci, type OciDescription } from './oci.ts';
import { OciFetcher } from './oci-fetcher.ts';
import {
  describeRemoteImage,
  downloadRemoteImage,
  updateSource,
  type RemoteDescription,
  type RemoteImage,
} from './remote.ts';
import { fetchFromAny, StreamCatalogue } from './streams.ts';

/** How an image that is fetched is kept. */
export interface PullOptions {
  project: string;
  public: boolean;
  autoUpdate: boolean;
  /** It came because something else needed it. */
  cached: boolean;
  profiles: string[];
}

/** An image that something else needs. */
export const asCache = ({ records }: Services, project: string): PullOptions => ({
  project,
  public: false,
  autoUpdate: !isFalse(records.get('serverConfig')?.value.config['images.auto_update_cached']),
  cached: true,
  profiles: [],
});

export interface Pulled {
  image: ImageRecord;
  /** False: it was here already. */
  fetched: boolean;
}

const isoSeconds = (seconds: number): string => (seconds > 0 ? new Date(seconds * 1000).toISOString() : '');

const nameOf = ({ kind }: RemoteFile): string => (kind === 'metadata' ? 'metadata' : 'rootfs');

/** The files of a server that speaks LXD's API, as they come. */
async function withRemoteParts<T>(
  remote: RemoteImage,
  { fingerprint, size }: RemoteDescription,
  running: RunningOperation,
  receive: (parts: AsyncIterable<ImagePart>) => Promise<T>,
): Promise<T> {
  const response = await downloadRemoteImage(remote, fingerprint, running.signal);
  const body = response.pipe(
    counting(size, (text) => running.update({ download_progress: `rootfs: ${text}` })),
  );
  response.once('error', (error) => body.destroy(error));
  response.once('aborted', () => body.destroy(new Error('the other server broke off')));
  try {
    const isSplit = response.headers['content-type']?.startsWith('multipart/form-data');
    return await receive(
      isSplit
        ? splitParts(response.headers, body)
        : (async function* () {
            yield await Promise.resolve({ kind: 'unified' as const, body });
          })(),
    );
  } finally {
    response.destroy();
    body.destroy();
  }
}

/** `files`: those of a server that does not speak LXD's API. `stream`: what is said of it there, in place of its own metadata. */
type Described = Omit<RemoteDescription, 'files'> & {
  files?: RemoteFile[];
  /** Each makes the rootfs of that of another image. */
  deltas?: RemoteFile[];
  stream?: StreamImage;
  /** Of a registry. */
  oci?: OciDescription;
};

/** Fetches images of other servers; who asks for one that is on its way waits for it. */
export class ImagePuller {
  readonly #services: Services;
  readonly #catalogue = new StreamCatalogue();
  readonly #registries = new OciFetcher();
  /** On their way, each with what ends it early. */
  readonly #running = new Map<string, { work: Promise<Pulled>; signal: AbortSignal }>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** @param fresh what was known of a server of images is looked at again. @throws LxdError */
  async pull(
    remote: RemoteImage,
    options: PullOptions,
    running: RunningOperation,
    fresh = false,
  ): Promise<Pulled> {
    const kept = options.cached && !fresh ? this.#keptUpToDate(remote, options.project) : undefined;
    if (kept) return { image: kept, fetched: false };
    const said = await this.#describe(remote, { fresh, signal: running.signal });
    const key = `${options.project}/${said.fingerprint}`;
    for (;;) {
      const known = this.#services.records.get('images', options.project, said.fingerprint);
      if (known) return { image: known.value, fetched: false };
      const other = this.#running.get(key);
      if (!other) break;
      try {
        const { image } = await abortable(other.work, running.signal);
        return { image, fetched: false };
      } catch (error) {
        running.signal.throwIfAborted();
        // That it was cancelled is no matter of ours.
        if (!other.signal.aborted) throw error;
      }
    }
    const work = this.#fetch(remote, said, options, running);
    this.#running.set(key, { work, signal: running.signal });
    try {
      return await work;
    } finally {
      this.#running.delete(key);
    }
  }

  /** Of what is kept up to date anyway, the other server need not be asked whether there is a newer one. */
  #keptUpToDate(
    { server, protocol = 'lxd', certificate = '', alias }: RemoteImage,
    project: string,
  ): ImageRecord | undefined {
    const { records } = this.#services;
    const hours = Number(records.get('serverConfig')?.value.config['images.auto_update_interval'] ?? 6);
    if (!alias || !(hours > 0)) return undefined;
    return records
      .list('images', project)
      .map(({ value }) => value)
      .find(
        ({ cached, autoUpdate, source }) =>
          cached &&
          autoUpdate &&
          source?.server === server &&
          source.protocol === protocol &&
          source.certificate === certificate &&
          source.alias === alias,
      );
  }

  async #describe(
    remote: RemoteImage,
    { fresh, signal }: { fresh: boolean; signal: AbortSignal },
  ): Promise<Described> {
    if (remote.protocol === undefined || remote.protocol === 'lxd')
      return describeRemoteImage(remote, signal);
    const { records, server } = this.#services;
    const native =
      records.get('serverConfig')?.value.config['images.default_architecture'] ||
      (records.get('members', server)?.value.architecture ?? '');
    if (remote.protocol === 'direct') {
      const { fingerprint, file } = await describeUrl(remote.url ?? '', native, signal);
      return { fingerprint, filename: '', size: 0, public: false, properties: {}, files: [file] };
    }
    if (remote.protocol === 'oci') {
      const oci = await describeOci(remote, native, signal);
      const { fingerprint, properties } = oci;
      return { fingerprint, filename: '', size: 0, public: false, properties, oci };
    }
    const stream = await this.#catalogue.find(remote, native, { fresh, signal });
    const at = (path: string, size: number) => ({
      name: path,
      size,
      open: (from: number, stop: AbortSignal) => fetchFromAny(remote, stream.mirrors, path, stop, from),
    });
    const files = stream.files.map(({ kind, path, size }): RemoteFile => ({ kind, ...at(path, size) }));
    const deltas = stream.deltas.map(({ base, path, size }): RemoteFile => ({
      kind: 'delta',
      digest: base,
      ...at(path, size),
    }));
    return { ...stream, public: true, stream, files, deltas };
  }

  /** By a delta where the member has what one starts from, whole where it has not, or that does not work. */
  async #receive(
    { files = [], deltas = [] }: Described,
    { project, member }: { project: string; member: string },
    running: RunningOperation,
    receive: (parts: AsyncIterable<ImagePart>) => Promise<ReceivedImage>,
  ): Promise<ReceivedImage> {
    const delta = deltas.find(({ digest = '' }) => {
      const base = this.#services.records.get('images', project, digest)?.value;
      return base?.members.includes(member) && base.files?.some(({ kind }) => kind === 'rootfs');
    });
    if (delta)
      try {
        const parts = files.map((file) => (file.kind === 'rootfs' ? delta : file));
        return await receive(downloadParts(parts, nameOf, running));
      } catch (error) {
        running.signal.throwIfAborted();
        const fields = { delta: delta.name, error: toLxdError(error).message };
        this.#services.log.warn('an image is fetched whole: a delta does not make it', fields);
      }
    return receive(downloadParts(files, nameOf, running));
  }

  async #fetch(
    remote: RemoteImage,
    said: Described,
    { project, public: open, autoUpdate, cached, profiles }: PullOptions,
    running: RunningOperation,
  ): Promise<Pulled> {
    const { records, agents, server, clock } = this.#services;
    const { fingerprint, stream, files, oci } = said;
    const online = agents.online();
    const member = online.includes(server) ? server : online[0];
    if (member === undefined) throw new LxdError('unavailable', 'No member is online');
    const options = { signal: running.signal, expected: fingerprint };
    const receive = (parts: AsyncIterable<ImagePart>) => agents.get(member).receiveImage(parts, options);
    const received = await (oci
      ? this.#registries.fetch(agents.get(member), member, oci, running)
      : files
        ? this.#receive(said, { project, member }, running, receive)
        : withRemoteParts(remote, said, running, receive));
    const source = updateSource(remote, fingerprint);
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
      properties: stream ? stream.properties : { ...received.properties, ...said.properties },
      profiles: profiles.length > 0 ? profiles : ['default'],
      createdAt: stream?.createdAt ?? isoSeconds(received.creationDate),
      expiresAt: stream?.expiresAt ?? isoSeconds(received.expiryDate),
      lastUsedAt: '',
      uploadedAt: clock.now().toISOString(),
      members: [member],
      files: received.files,
      ...(received.oci ? { oci: received.oci } : {}),
      ...(source ? { source } : {}),
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
