import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';
import { Client } from './client.ts';
import { unixEndpoint } from './endpoint.ts';
import { events } from './events.ts';
import { exec } from './exec.ts';
import { waitForOperation } from './operation.ts';
import type { Operation } from './types.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

const operation = (over: Partial<Operation>): Operation => ({
  id: 'op1',
  class: 'task',
  description: '',
  created_at: '',
  updated_at: '',
  status: 'Running',
  status_code: 103,
  resources: null,
  metadata: null,
  may_cancel: false,
  err: '',
  location: 'none',
  ...over,
});

const sync = (metadata: unknown): string => JSON.stringify({ type: 'sync', status_code: 200, metadata });
const asynchronous = (metadata: unknown): string =>
  JSON.stringify({ type: 'async', status_code: 100, metadata });
const failed = (code: number, error: string): string =>
  JSON.stringify({ type: 'error', error_code: code, error });

let dir: string;
let server: Server;
let sockets: WebSocketServer;
let handle: Handler;
let onSocket: (socket: WebSocket, path: string) => void;
let client: Client;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lxd-ts-client-'));
  server = createServer((request, response) => void handle(request, response));
  sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (open) => {
      onSocket(open, request.url ?? '');
    });
  });
  const path = join(dir, 'unix.socket');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  client = new Client({ endpoint: unixEndpoint(path), project: 'p1' });
});

afterEach(async () => {
  client.close();
  for (const open of sockets.clients) open.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

describe('requests', () => {
  it('opens the envelope, and adds project, query and ETag', async () => {
    const seen: unknown[] = [];
    handle = async (request, response) => {
      seen.push([request.method, request.url, request.headers['if-match'], await text(request)]);
      response.setHeader('etag', 'tag').end(sync({ a: 1 }));
    };
    expect(await client.getWithEtag('/1.0/x', { query: { recursion: 1, target: undefined } })).toEqual({
      metadata: { a: 1 },
      etag: 'tag',
    });
    await client.change('PUT', '/1.0/x', { body: { b: 2 }, etag: 'tag', query: { project: 'p2' } });
    expect(seen).toEqual([
      ['GET', '/1.0/x?recursion=1&project=p1', undefined, ''],
      ['PUT', '/1.0/x?project=p2', 'tag', '{"b":2}'],
    ]);
  });

  it.each([
    [404, failed(404, 'Instance not found'), 'not-found', 'Instance not found'],
    [412, failed(412, 'ETag'), 'precondition-failed', 'ETag'],
    [200, failed(409, 'there already'), 'conflict', 'there already'],
    [502, '<html>', 'internal', 'The server answered 502: <html>'],
    [200, 'nothing', 'internal', 'The server answered 200: nothing'],
  ])('turns %d %s into an LxdError', async (status, body, code, message) => {
    handle = (_request, response) => response.writeHead(status).end(body);
    await expect(client.get('/1.0/x')).rejects.toMatchObject({ name: 'LxdError', code, message });
  });

  it('sends a stream, and hears the refusal of a server that does not read it', async () => {
    handle = async (request, response) => {
      if (request.url?.startsWith('/1.0/refused')) response.writeHead(413).end(failed(413, 'too large'));
      else response.end(sync((await text(request)).length));
    };
    const megabyte = (): Readable =>
      Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x')));
    const reply = await client.request('POST', '/1.0/images', { stream: megabyte() });
    expect(reply).toMatchObject({ kind: 'sync', metadata: 1_048_576 });
    await expect(client.change('POST', '/1.0/refused', { stream: megabyte() })).rejects.toMatchObject({
      code: 'too-large',
    });
  });

  it('downloads', async () => {
    handle = (_request, response) => response.end('bytes');
    expect(await text(await client.download('/1.0/images/x/export'))).toBe('bytes');
    handle = (_request, response) => response.writeHead(404).end(failed(404, 'gone'));
    await expect(client.download('/1.0/images/x/export')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says in words that nobody listens', async () => {
    using nowhere = new Client({ endpoint: unixEndpoint(join(dir, 'none')) });
    await expect(nowhere.get('/1.0')).rejects.toMatchObject({
      code: 'unavailable',
      message: `Cannot reach the daemon at ${join(dir, 'none')}: it is not running`,
    });
  });

  it('can be given up', async () => {
    handle = () => undefined;
    await expect(client.get('/1.0', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: expect.stringMatching(/Abort|Timeout/) as string,
    });
  });
});

describe('operations', () => {
  it('are waited for, with progress', async () => {
    const said = Promise.withResolvers<undefined>();
    handle = async (_request, response) => {
      await said.promise;
      response.end(sync(operation({ status: 'Success', status_code: 200, metadata: { done: true } })));
    };
    onSocket = (socket) => {
      const metadata = operation({ metadata: { download_progress: '10%' } });
      socket.send(
        JSON.stringify({ type: 'operation', timestamp: '', metadata: { ...metadata, id: 'other' } }),
      );
      socket.send(JSON.stringify({ type: 'operation', timestamp: '', metadata }));
    };
    const seen: unknown[] = [];
    const ended = await waitForOperation(client, operation({}), {
      onProgress: ({ metadata }) => {
        seen.push(metadata);
        said.resolve(undefined);
      },
    });
    expect(ended.metadata).toEqual({ done: true });
    expect(seen).toEqual([{ download_progress: '10%' }]);
  });

  it('throw what they ended with', async () => {
    handle = (_request, response) => response.end(sync(operation({ status_code: 400, err: 'no space' })));
    await expect(waitForOperation(client, operation({}))).rejects.toMatchObject({
      code: 'invalid',
      message: 'no space',
    });
    const cancelled = operation({ status: 'Cancelled', status_code: 401 });
    await expect(waitForOperation(client, cancelled)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('events', () => {
  it('come until the server closes', async () => {
    const paths: string[] = [];
    onSocket = (socket, path) => {
      paths.push(path);
      socket.send(JSON.stringify({ type: 'lifecycle', timestamp: '', metadata: { action: 'a' } }));
      socket.close();
    };
    const seen: string[] = [];
    for await (const { metadata } of events(client, { types: ['lifecycle', 'logging'] }))
      seen.push(String(metadata['action']));
    expect(seen).toEqual(['a']);
    expect(paths).toEqual(['/1.0/events?type=lifecycle%2Clogging&project=p1']);
  });

  it('fail with the error of a server that refuses', async () => {
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_request, socket) => {
      const body = failed(403, 'not for you');
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
    await expect(events(client).next()).rejects.toMatchObject({ code: 'forbidden', message: 'not for you' });
  });
});

describe('exec', () => {
  /** A server that runs `cat`: what comes on stdin goes to stdout, the control messages to stderr. */
  function serveCat(status: Partial<Operation>): void {
    const fds = { 0: 's0', 1: 's1', 2: 's2', control: 'sc' };
    const open = new Map<string, WebSocket>();
    const ended = Promise.withResolvers<undefined>();
    handle = async (request, response) => {
      if (request.method === 'POST') {
        response.end(asynchronous(operation({ class: 'websocket', metadata: { fds } })));
        return;
      }
      await ended.promise;
      response.end(sync(operation(status)));
    };
    onSocket = (socket, path) => {
      const fd = new URL(path, 'http://x').searchParams.get('secret')?.slice(1) ?? '';
      open.set(fd, socket);
      socket.on('message', (data: Buffer, isBinary) => {
        if (fd === 'c') open.get('2')?.send(data, { binary: true });
        else if (isBinary) open.get('1')?.send(data);
        else {
          open.get('1')?.send('');
          open.get('2')?.send('');
          ended.resolve(undefined);
        }
      });
    };
  }

  const collector = (): { stream: PassThrough; read: () => string } => {
    const stream = new PassThrough();
    return { stream, read: () => String(stream.read() ?? '') };
  };

  it('carries the streams, the control messages and the exit status', async () => {
    serveCat({ status_code: 200, status: 'Success', metadata: { return: 3 } });
    const [stdin, out, err] = [new PassThrough(), collector(), collector()];
    const session = await exec(
      client,
      'c1',
      { command: ['cat'], interactive: false },
      { stdin, stdout: out.stream, stderr: err.stream },
    );
    session.resize(80, 24);
    session.signal(15);
    stdin.write('hello ');
    stdin.end('world');
    expect(await session.exit).toEqual({ code: 3 });
    expect(out.read()).toBe('hello world');
    expect(err.read()).toBe(
      '{"command":"window-resize","args":{"width":"80","height":"24"}}{"command":"signal","signal":15}',
    );
  });

  it('tells why a command could not be run', async () => {
    serveCat({ status_code: 400, status: 'Failure', err: 'Command not found', metadata: { return: 127 } });
    const [out, err] = [collector(), collector()];
    const session = await exec(
      client,
      'c1',
      { command: ['x'], interactive: false },
      { stdout: out.stream, stderr: err.stream },
    );
    expect(await session.exit).toEqual({ code: 127, error: 'Command not found' });
  });
});
