import { chmod, chown, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { sendError } from './reply.ts';
import { upgrades } from './upgrades.ts';

/** Whether somebody answers on the socket. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** @throws LxdError `invalid` */
async function groupId(group: string): Promise<number> {
  const line = (await readFile('/etc/group', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${group}:`));
  const id = Number(line?.split(':')[2]);
  if (!line || !Number.isInteger(id)) throw new LxdError('invalid', `The group "${group}" does not exist`);
  return id;
}

/** Disposing takes no more connections and removes the socket. */
export interface UnixListener extends AsyncDisposable {
  /** Hands over who waits, and whoever comes. `app` itself need not listen. Undefined: whoever comes waits. */
  serve(app: Server | undefined): void;
}

function open(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177); // nobody else in the moment before its mode is set
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  }).finally(() => process.umask(mask));
}

/**
 * Listens on a unix socket that only root and the group may use. A socket that a dead daemon left is replaced.
 * Callers wait until there is an app to serve them; only who asks whether we are ready is told at once.
 * @throws LxdError `conflict` when another daemon answers there
 */
export async function listenUnix(path: string, group: string | undefined): Promise<UnixListener> {
  const gid = group === undefined ? 0 : await groupId(group);
  if (await answers(path)) throw new LxdError('conflict', `Another daemon is running: it answers on ${path}`);
  await rm(path, { force: true });
  let app: Server | undefined;
  let ready = Promise.withResolvers<Server>();
  const server = createServer({
    keepAliveTimeout: 60_000,
    requestTimeout: 0, // an upload takes as long as it takes
    shouldUpgradeCallback: upgrades,
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (app) app.emit('request', request, response);
    else if (request.url?.startsWith('/internal/ready'))
      sendError(response, new LxdError('unavailable', 'The daemon is starting'));
    else void ready.promise.then((later) => later.emit('request', request, response));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (app) app.emit('upgrade', request, socket, head);
    else {
      socket.on('error', () => undefined); // its end is what counts
      void ready.promise.then((later) => later.emit('upgrade', request, socket, head));
    }
  });
  await open(server, path);
  await chown(path, 0, gid);
  await chmod(path, 0o660);
  return {
    serve(later) {
      app = later;
      if (later) ready.resolve(later);
      else ready = Promise.withResolvers();
    },
    [Symbol.asyncDispose]: () => {
      server.close();
      if (app) server.closeIdleConnections();
      else server.closeAllConnections();
      return Promise.resolve();
    },
  };
}
