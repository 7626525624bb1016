import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Duplex } from 'node:stream';
import { httpStatusOf, LxdError, toLxdError } from '@lxd-ts/core';
import express from 'express';
import { WebSocketServer } from 'ws';
import type { Logger } from '../services.ts';
import { authorize } from './authorize.ts';
import { readBody } from './body.ts';
import { drain } from './drain.ts';
import { checkETag } from './etag.ts';
import { checkProject } from './project.ts';
import { forwardRequest, forwardUpgrade } from './forward.ts';
import { sendError, sendReply } from './reply.ts';
import type { Caller, Reply, RequestContext, Route } from './route.ts';
import { Router, type Match } from './router.ts';

export interface AppOptions {
  routes: readonly Route[];
  log: Logger;
  /** Who is at the other end of a connection. */
  callerOf(request: IncomingMessage): Caller;
}

/** How long what is left of a refused body is read. */
const drainMs = 10_000;

/** A frame larger than this is no terminal's; what is longer comes in more than one. */
const maxFrameBytes = 16 * 1024 * 1024;

function find(router: Router, method: string, path: string): Match {
  let match: ReturnType<Router['find']>;
  try {
    match = router.find(method, path);
  } catch {
    throw new LxdError('invalid', 'The path is not properly encoded');
  }
  if (match === 'known') throw new LxdError('method-not-allowed', 'not implemented');
  if (!match) throw new LxdError('not-found', 'not found');
  return match;
}

/** From here on bytes go both ways until either side ends. */
function joinUpgraded(
  socket: Duplex,
  head: Buffer,
  { protocol, stream }: Extract<Reply, { kind: 'upgrade' }>,
): void {
  stream.on('error', () => undefined); // its end is what counts
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  pipeline(socket, stream, socket).catch(() => undefined);
}

/** The LXD 1.0 API on an HTTP server that is not listening yet. */
export function createApp({ routes, log, callerOf }: AppOptions): Server {
  const router = new Router(routes);

  async function dispatch(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    const url = request.url ?? '/';
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
    const { api, route, params, instancesPath } = find(router, (request.method ?? '').toLowerCase(), path);
    const caller = callerOf(request);
    // Not the query: there may be a secret in it.
    const { protocol, username } = caller;
    log.debug('Handling API request', { ip: '@', method: request.method, protocol, url: path, username });
    const project = query.get('project') || 'default';
    authorize(caller, route, project, query.get('all-projects') === 'true');
    checkProject(api.operationId, project);
    const isJson =
      api.requestBody === 'json' ||
      (api.requestBody === 'json-or-file' && request.headers['content-type'] !== 'application/octet-stream');
    const body = isJson ? await readBody(request, request.headers, api.operationId) : undefined;
    const context: RequestContext<never> = {
      caller,
      params,
      query,
      headers: request.headers,
      project,
      body: body as never,
      stream: request,
      instancesPath,
      signal,
      checkETag: (value) => checkETag(request.headers['if-match'], value),
    };
    return route.handle(context);
  }

  /** Aborted when the caller goes away before the answer is complete. */
  function signalOf(response: ServerResponse): AbortSignal {
    const controller = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new LxdError('cancelled', 'The client went away'));
    });
    return controller.signal;
  }

  const trusted = (request: IncomingMessage): boolean => {
    try {
      return callerOf(request).trusted;
    } catch {
      return false;
    }
  };

  const app = express();
  app.disable('x-powered-by').disable('etag').disable('query parser');
  app.use(async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const reply = await dispatch(request, signalOf(response));
      if (reply.kind === 'forward') await forwardRequest(request, response, reply.connect, callerOf(request));
      else await sendReply(response, reply);
    } catch (error) {
      const { code, message } = toLxdError(error);
      // `aborted`: it went away in the middle of its body.
      if (code === 'internal' && !request.errored)
        log.warn('a request failed', {
          method: request.method,
          url: request.url?.split('?', 1)[0],
          error: message,
        });
      // Clients send all of a body before they listen.
      if (!request.complete && trusted(request)) await drain(request, AbortSignal.timeout(drainMs));
      sendError(response, error);
    }
  });

  const server = createServer(app);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes });

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const controller = new AbortController();
    socket.once('close', () => controller.abort());
    const reply = await dispatch(request, controller.signal);
    if (reply.kind === 'forward') {
      forwardUpgrade(request, socket, head, reply.connect, callerOf(request));
      return;
    }
    if (reply.kind === 'upgrade') {
      joinUpgraded(socket, head, reply);
      return;
    }
    if (reply.kind !== 'websocket') throw new LxdError('invalid', 'This path is no websocket');
    sockets.handleUpgrade(request, socket, head, reply.accept);
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined); // its end is what counts
    upgrade(request, socket, head).catch((error: unknown) => {
      const { code, message } = toLxdError(error);
      const status = httpStatusOf(code);
      const body = JSON.stringify({
        type: 'error',
        status: '',
        status_code: 0,
        operation: '',
        error_code: status,
        error: message,
        metadata: null,
      });
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
  });
  return server;
}
