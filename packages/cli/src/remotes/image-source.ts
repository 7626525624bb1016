import { LxdError } from '@lxd-ts/core';
import type { Image, Operation } from '@lxd-ts/client';
import type { Context } from '../base/context.ts';
import type { Shell } from '../base/shell.ts';
import { apiPath } from '../base/names.ts';
import { findImage } from '../commands/image/find-image.ts';

/** The `source` of a request by which a server gets an image from elsewhere, or uses one that it has. */
export type ImageSource = Readonly<Record<string, unknown>>;

/** Where an image is: on a server that we can ask, or at one that only servers read. */
export type FoundImage =
  | { kind: 'lxd'; context: Context; image: Image; public: boolean }
  | { kind: 'simplestreams' | 'oci'; source: ImageSource };

/** What `[remote:]image` names. */
export async function locateImage(shell: Shell, text: string): Promise<FoundImage> {
  const [remote, name] = await shell.split(text);
  if (name === '') throw new LxdError('invalid', 'Missing image name');
  if (remote !== undefined) {
    const config = await shell.config();
    const { protocol, addr } = config.get(remote);
    const source = { type: 'image', mode: 'pull', server: addr, protocol, alias: name };
    if (protocol === 'simplestreams') return { kind: protocol, source };
    if (protocol === 'oci') {
      const [certificate, secret] = [config.serverCertificate(remote), config.secret(remote)];
      const more = { ...(certificate ? { certificate } : {}), ...(secret ? { secret } : {}) };
      return { kind: protocol, source: { ...source, ...more } };
    }
  }
  const [context] = await shell.image(text);
  const image = await findImage(context, name);
  return { kind: 'lxd', context, image, public: image.public };
}

/** The addresses by which others reach a server: the one we use first, then those that it tells. */
export async function addressesOf(context: Context): Promise<{ addresses: string[]; certificate: string }> {
  const { environment } = await context.client.get<{
    environment: { addresses?: string[] | null; certificate?: string };
  }>('/1.0');
  const { endpoint } = context.client;
  const told = (environment.addresses ?? []).map((address) => `https://${address}`);
  const addresses = [...new Set([...(endpoint.kind === 'https' ? [endpoint.url] : []), ...told])];
  if (addresses.length === 0)
    throw new LxdError('invalid', `The server "${context.remote}" isn't listening on the network`);
  return { addresses, certificate: environment.certificate ?? '' };
}

/** Whether two remotes are one server (or members of one cluster), under two names. */
export async function sameServer(one: Context, other: Context): Promise<boolean> {
  if (one.remote === other.remote) return true;
  const certificates = await Promise.all(
    [one, other].map(async ({ client }) => {
      const { environment } = await client.get<{ environment: { certificate?: string } }>('/1.0');
      return environment.certificate ?? '';
    }),
  );
  return certificates[0] !== '' && certificates[0] === certificates[1];
}

/** A secret that opens one private image once. */
async function imageSecret({ client }: Context, fingerprint: string): Promise<string> {
  const operation = await client.change('POST', apiPath('images', fingerprint, 'secret'), { body: {} });
  const secret = operation?.metadata?.['secret'];
  if (typeof secret !== 'string') throw new LxdError('internal', 'The server gave no secret for the image');
  return secret;
}

/**
 * Lets `target` use an image, wherever it is: `send` is called with the source to put into a request, once for every
 * address of the other server until one works.
 */
export async function withImage(
  target: Context,
  found: FoundImage,
  send: (source: ImageSource) => Promise<Operation | undefined>,
): Promise<Operation | undefined> {
  if (found.kind !== 'lxd') return send(found.source);
  const { context, image } = found;
  if (await sameServer(context, target)) return send({ type: 'image', fingerprint: image.fingerprint });
  const { addresses, certificate } = await addressesOf(context);
  return eachAddress(addresses, async (server) =>
    send({
      type: 'image',
      mode: 'pull',
      server,
      protocol: 'lxd',
      certificate,
      fingerprint: image.fingerprint,
      ...(found.public ? {} : { secret: await imageSecret(context, image.fingerprint) }),
    }),
  );
}

/** Tries one address after the other. What the last one said is thrown, with what the others said. */
export async function eachAddress<T>(
  addresses: readonly string[],
  attempt: (address: string) => Promise<T>,
): Promise<T> {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      return await attempt(address);
    } catch (error) {
      if (!(error instanceof LxdError) || error.code === 'cancelled') throw error;
      failures.push(`${address}: ${error.message}`);
      if (addresses.length === 1) throw error;
    }
  }
  throw new LxdError('unavailable', `No address of the other server worked:\n - ${failures.join('\n - ')}`);
}
