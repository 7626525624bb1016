import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { LxdError, toLxdError, type Config } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import type { ImageRecord, ImageTokenRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { drain } from '../../http/drain.ts';
import { headerOf } from '../../http/header-of.ts';
import { splitParts } from './multipart.ts';

export interface Upload {
  project: string;
  headers: IncomingHttpHeaders;
  body: Readable;
  caller: Caller;
  /** Of another server that sends it; it is used up. */
  secret?: string;
  token?: ImageTokenRecord;
}

interface Received {
  image: ReceivedImage;
  member: string;
  filename: string;
}

const isoSeconds = (seconds: number): string => (seconds > 0 ? new Date(seconds * 1000).toISOString() : '');

/** Notes the name that the main file was given. */
async function* named(
  parts: AsyncIterable<ImagePart & { filename: string }>,
  note: (filename: string) => void,
): AsyncIterable<ImagePart> {
  for await (const { kind, body, filename } of parts) {
    if (kind !== 'metadata') note(filename);
    yield { kind, body };
  }
}

async function* unified(body: Readable): AsyncGenerator<ImagePart & { filename: string }> {
  yield await Promise.resolve({ kind: 'unified' as const, body, filename: '' });
}

/** Takes the files in, on this server's own member where it is one. Reads the request to its end either way. */
async function receive(
  services: Services,
  { headers, body }: Upload,
  options: { signal: AbortSignal },
): Promise<Received> {
  const online = services.agents.online();
  const member = online.includes(services.server) ? services.server : online[0];
  if (member === undefined) throw new LxdError('unavailable', 'No member is online');
  const expected = headerOf(headers, 'x-lxd-fingerprint');
  let filename = '';
  const split = headerOf(headers, 'content-type').startsWith('multipart/form-data');
  const parts = named(split ? splitParts(headers, body) : unified(body), (name) => (filename = name));
  const image = await services.agents
    .get(member)
    .receiveImage(parts, { ...options, ...(expected === '' ? {} : { expected }) });
  return { image, member, filename };
}

function recordOf(services: Services, { project, headers, token }: Upload, received: Received): ImageRecord {
  const { image, member, filename } = received;
  const given: Config = Object.fromEntries(new URLSearchParams(headerOf(headers, 'x-lxd-properties')));
  return {
    project,
    fingerprint: image.fingerprint,
    filename: headerOf(headers, 'x-lxd-filename') || filename,
    size: image.size,
    architecture: image.architecture,
    type: image.type,
    public: token?.image?.public ?? ['1', 'true'].includes(headerOf(headers, 'x-lxd-public')),
    autoUpdate: token?.image?.autoUpdate ?? false,
    cached: token === undefined && headerOf(headers, 'x-lxd-cached') === '1',
    properties: { ...image.properties, ...given, ...token?.image?.properties },
    profiles: ['default'],
    createdAt: isoSeconds(image.creationDate),
    expiresAt: isoSeconds(image.expiryDate),
    lastUsedAt: '',
    uploadedAt: services.clock.now().toISOString(),
    members: [member],
    files: image.files,
    ...(image.oci ? { oci: image.oci } : {}),
  };
}

/**
 * The upload is read before the operation is answered, as clients expect who send all of it before they listen; what
 * is wrong with it is the operation's failure.
 */
export async function uploadImage(
  services: Services,
  upload: Upload,
  signal: AbortSignal,
): Promise<OperationView> {
  const { project, caller, token, secret } = upload;
  const received = await receive(services, upload, { signal }).catch((error: unknown) => toLxdError(error));
  await drain(upload.body, signal);
  return services.operations.start({
    class: 'task',
    description: 'Downloading image',
    project,
    resources: {},
    // With it the sender, whom we do not know, may wait for the end.
    ...(secret === undefined ? {} : { metadata: { secret } }),
    run: async (operation) => {
      if (received instanceof LxdError) throw received;
      const record = recordOf(services, upload, received);
      const { fingerprint } = record;
      operation.update({ fingerprint, size: String(record.size) });
      const taken = () => services.records.get('images', project, fingerprint) !== undefined;
      const exists = new LxdError('conflict', 'Image with same fingerprint already exists');
      if (taken()) throw exists;
      try {
        const transaction = services.records.transaction().create('images', [project, fingerprint], record);
        if (token) transaction.remove('imageTokens', [token.id]);
        for (const { name, description } of token?.image?.aliases ?? []) {
          if (services.records.get('imageAliases', project, name)) continue;
          const alias = { project, name, description, target: fingerprint, type: record.type };
          transaction.put('imageAliases', [project, name], alias);
        }
        await transaction.commit({ signal: operation.signal });
      } catch (error) {
        throw taken() ? exists : error;
      }
      services.events.lifecycle({
        action: 'image-created',
        source: `/1.0/images/${fingerprint}`,
        project,
        context: { type: record.type },
        requestor: { username: caller.username, protocol: caller.protocol },
      });
    },
  });
}
