import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { connectionError } from './connection-error.ts';
import { openEnvelope } from './envelope.ts';

export type FileType = 'file' | 'directory' | 'symlink';

/** Of what is made anew; what is there keeps its own. */
export interface FileOwner {
  uid?: number | undefined;
  gid?: number | undefined;
  mode?: number | undefined;
}

export interface PulledFile {
  type: FileType;
  uid: number;
  gid: number;
  mode: number;
  /** Of a directory. */
  names?: string[];
  /** Bytes, where the server tells; of a file. */
  size?: number;
  /** Of a file, or the target of a link. */
  body?: Readable;
}

const filesPath = (instance: string): string => `/1.0/instances/${encodeURIComponent(instance)}/files`;

const header = ({ headers }: IncomingMessage, name: string): string => String(headers[`x-lxd-${name}`] ?? '');

/** A file, the names in a directory, or where a link leads. The body must be read to its end. */
export async function pullFile(
  client: Client,
  instance: string,
  path: string,
  signal?: AbortSignal,
): Promise<PulledFile> {
  const response = await client.download(filesPath(instance), { query: { path }, signal });
  const type = (header(response, 'type') || 'file') as FileType;
  const told = {
    type,
    uid: Number(header(response, 'uid')),
    gid: Number(header(response, 'gid')),
    mode: parseInt(header(response, 'mode') || '0644', 8),
  };
  if (type === 'directory') {
    const reply = openEnvelope(response.statusCode ?? 0, await text(response));
    return { ...told, names: reply.kind === 'sync' ? (reply.metadata as string[]) : [] };
  }
  const size = response.headers['content-length'];
  return { ...told, body: response, ...(size === undefined ? {} : { size: Number(size) }) };
}

/** Writes a file, or makes a directory or a link (whose target is the body). */
export async function pushFile(
  client: Client,
  instance: string,
  path: string,
  what: FileOwner & { type: FileType; append?: boolean; body?: Readable },
  signal?: AbortSignal,
): Promise<void> {
  const { type, uid, gid, mode, append, body } = what;
  await client.change('POST', filesPath(instance), {
    query: { path },
    headers: {
      'x-lxd-type': type,
      ...(body ? { 'content-type': 'application/octet-stream' } : {}),
      ...(uid === undefined ? {} : { 'x-lxd-uid': uid }),
      ...(gid === undefined ? {} : { 'x-lxd-gid': gid }),
      ...(mode === undefined ? {} : { 'x-lxd-mode': `0${mode.toString(8).padStart(3, '0')}` }),
      ...(append ? { 'x-lxd-write': 'append' } : {}),
    },
    ...(body ? { stream: body } : {}),
    signal,
  });
}

/** A file, a link or an empty directory. */
export async function deleteFile(client: Client, instance: string, path: string): Promise<void> {
  await client.change('DELETE', filesPath(instance), { query: { path } });
}

/** SFTP (version 3) with an instance, until either side ends it. */
export async function openSftp(client: Client, instance: string): Promise<Duplex> {
  const { endpoint } = client;
  const path = client.resolve(`/1.0/instances/${encodeURIComponent(instance)}/sftp`);
  const headers = { connection: 'Upgrade', upgrade: 'sftp' };
  const asked =
    endpoint.kind === 'unix'
      ? (await import('node:http')).request({ socketPath: endpoint.socketPath, path, headers })
      : (await import('node:https')).request(`${endpoint.url}${path}`, {
          ...(await import('./tls.ts')).tlsConnection(endpoint.tls),
          headers,
        });
  const opened = Promise.withResolvers<Duplex>();
  asked.on('upgrade', (_response, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    opened.resolve(socket);
  });
  asked.on('response', (response) => {
    text(response)
      .then((body) => openEnvelope(response.statusCode ?? 0, body))
      .then(
        () => opened.reject(new LxdError('internal', 'The server speaks no SFTP')),
        (error: unknown) => opened.reject(error),
      );
  });
  asked.on('error', (error) => {
    opened.reject(connectionError(error, endpoint));
  });
  asked.end();
  return opened.promise;
}
