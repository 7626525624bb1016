import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import type { Connect } from '../http/forward.ts';

/** Another server of the control plane, as long as it can be reached. */
export interface Peer {
  /** Of the member. */
  name: string;
  /** To its API, as one of the control plane. */
  connect: Connect;
}

export interface Peers {
  reachable(): Peer[];
}

/** For a server that is the only one. */
export const noPeers: Peers = { reachable: () => [] };

const tagLength = 4;

/** What the ids of a server's operations begin with, so that the other servers know whose they are. */
const tagOf = (server: string): string =>
  createHash('sha256').update(server).digest('hex').slice(0, tagLength);

/** A UUID of this server's. */
export const taggedUuid = (server: string, uuid: string): string => tagOf(server) + uuid.slice(tagLength);

/** The peer that an operation is of; undefined: ours, or nobody's that can be reached. */
export function peerOf(peers: Peers, server: string, operationId: string): Peer | undefined {
  const tag = operationId.slice(0, tagLength);
  // What is ours is never passed on, so that nothing goes round in circles.
  if (tag === tagOf(server)) return undefined;
  return peers.reachable().find(({ name }) => tagOf(name) === tag);
}

/** What a peer answers; the metadata only. @throws LxdError `unavailable` */
export async function ask({ name, connect }: Peer, path: string, timeoutMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const connection = connect();
    const request = httpRequest({ path, host: name, createConnection: () => connection, signal });
    const answer = await new Promise<unknown>((resolve, reject) => {
      request.once('error', reject).once('response', (response) => {
        json(response).then(resolve, reject);
      });
      request.end();
    });
    connection.destroy();
    return (answer as { metadata?: unknown }).metadata;
  } catch (error) {
    throw new LxdError('unavailable', `Member "${name}" does not answer`, { cause: error });
  }
}
