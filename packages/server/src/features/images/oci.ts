import {
  dockerHub,
  isDockerHub,
  LxdError,
  OciRegistry,
  parseOciCredentials,
  parseOciReference,
  type OciTransport,
} from '@lxd-ts/core';
import { askTls } from '../../http/ask-tls.ts';
import type { RemoteFile } from './download.ts';
import { checkServer, stalledMs, type RemoteImage } from './remote.ts';

/** A blob of an image, and where it is. */
export interface OciBlob extends RemoteFile {
  digest: string;
}

/** What a registry has for a name. */
export interface OciDescription {
  fingerprint: string;
  manifest: Buffer;
  /** The configuration, then the layers. */
  blobs: OciBlob[];
  properties: Record<string, string>;
}

/** @throws LxdError `invalid` naming the field; never with what is secret */
export function checkOciImage({ server, certificate, secret, alias }: RemoteImage): void {
  const parsed = URL.parse(server);
  // What is in an address is shown to everybody.
  if (parsed?.username || parsed?.password)
    throw new LxdError('invalid', '"server" must not have a user and password: they are the "secret"');
  const url = checkServer('server', server, certificate);
  if (url.pathname !== '/' || url.search !== '')
    throw new LxdError('invalid', `"server" must be https://HOST:PORT and nothing more, not "${server}"`);
  if (secret) parseOciCredentials(secret);
  if (!alias)
    throw new LxdError('invalid', 'Must specify the alias (REPOSITORY:TAG) for an image of a registry');
  parseOciReference(alias, server);
}

/** @param certificate that the registry itself must show; others to which it leads are those that the machine trusts */
const transportTo =
  (registry: URL, certificate: string | undefined): OciTransport =>
  (url, request, signal) =>
    askTls(
      url,
      { ...request, stalledMs, certificate: url.host === registry.host ? certificate : undefined },
      signal,
    );

/** @param architecture as LXD names it. @throws LxdError */
export async function describeOci(
  remote: RemoteImage,
  architecture: string,
  signal: AbortSignal,
): Promise<OciDescription> {
  checkOciImage(remote);
  const { server, certificate, secret, alias = '' } = remote;
  const address = isDockerHub(server) ? dockerHub : server;
  const credentials = secret ? parseOciCredentials(secret) : undefined;
  const registry = new OciRegistry(address, transportTo(new URL(address), certificate), credentials);
  const named = parseOciReference(alias, address);
  const { fingerprint, manifest, manifestBytes } = await registry.resolve(named, architecture, signal);
  const { repository, reference } = named;
  const of = manifest.layers.length;
  const pieces = [
    { ...manifest.config, name: 'configuration' },
    ...manifest.layers.map((layer, index) => ({ ...layer, name: `layer ${index + 1} of ${of}` })),
  ];
  const host = isDockerHub(server) ? 'docker.io' : registry.host;
  const separator = reference.startsWith('sha256:') ? '@' : ':';
  return {
    fingerprint,
    manifest: manifestBytes,
    blobs: pieces.map(({ digest, size, name }) => ({
      kind: 'blob',
      digest,
      size,
      name,
      open: (from, stop) => registry.openBlob(repository, digest, from, stop),
    })),
    properties: { description: `${host}/${repository}${separator}${reference}` },
  };
}
