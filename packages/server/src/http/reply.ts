import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { httpStatusOf, toLxdError } from '@lxd-ts/core';
import { etagOf } from './etag.ts';
import type { Reply } from './route.ts';

interface Envelope {
  type: 'sync' | 'async' | 'error';
  status?: string;
  status_code?: number;
  operation?: string;
  error_code?: number;
  error?: string;
}

/** LXD's envelope around metadata that is JSON already. */
const envelope = (fields: Envelope, metadata: string): string => {
  const { type, status = '', status_code = 0, operation = '', error_code = 0, error = '' } = fields;
  const head = JSON.stringify({ type, status, status_code, operation, error_code, error });
  return `${head.slice(0, -1)},"metadata":${metadata}}\n`;
};

const pieceBytes = 64 * 1024;

/** Until more can be written, or never again. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.once('drain', go).once('close', go);
  });
}

/** A list is written piece by piece, so that a long one never holds up everybody else. */
async function writeList(response: ServerResponse, head: string, items: readonly unknown[]): Promise<void> {
  const at = head.lastIndexOf('[]');
  let piece = head.slice(0, at + 1);
  for (const [i, item] of items.entries()) {
    piece += (i > 0 ? ',' : '') + JSON.stringify(item);
    if (piece.length < pieceBytes) continue;
    if (!response.write(piece)) await writable(response);
    else await new Promise(setImmediate);
    if (response.destroyed) return;
    piece = '';
  }
  response.end(piece + head.slice(at + 1));
}

/** More items than this are streamed. */
const longList = 200;

/** Only as much as was announced: a file may grow while it is sent. */
async function* first(length: number, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = length;
  for await (const data of body) {
    yield data.subarray(0, left);
    left -= data.length;
    if (left <= 0) return;
  }
}

/** The client may go away in the middle; the source is closed then. What ends too early ends the connection. */
async function sendStream(
  response: ServerResponse,
  reply: Extract<Reply, { kind: 'stream' }>,
): Promise<void> {
  const { body, headers, length } = reply;
  response.writeHead(200, length === undefined ? headers : { ...headers, 'Content-Length': String(length) });
  const source = length === undefined ? body : first(length, body as AsyncIterable<Buffer>);
  try {
    await pipeline(source, response);
  } catch {
    body.destroy();
  }
}

/** The one place that writes a status. */
export async function sendReply(
  response: ServerResponse,
  reply: Exclude<Reply, { kind: 'forward' }>,
): Promise<void> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const sendJson = (status: number, body: string) => {
    response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
    response.end(body);
  };
  switch (reply.kind) {
    case 'sync': {
      Object.assign(headers, reply.headers);
      if (reply.etag !== undefined) headers['ETag'] = `"${etagOf(reply.etag)}"`;
      const success: Envelope = { type: 'sync', status: 'Success', status_code: 200 };
      if (Array.isArray(reply.metadata) && reply.metadata.length > longList) {
        response.writeHead(200, headers);
        return writeList(response, envelope(success, '[]'), reply.metadata);
      }
      sendJson(200, envelope(success, JSON.stringify(reply.metadata ?? null)));
      return;
    }
    case 'empty': {
      if (reply.location !== undefined) headers['Location'] = reply.location;
      const fields: Envelope = { type: 'sync', status: 'Success', status_code: 200 };
      sendJson(reply.created ? 201 : 200, envelope(fields, reply.created ? 'null' : '{}'));
      return;
    }
    case 'operation': {
      const operation = `/1.0/operations/${reply.operation.id}`;
      headers['Location'] = operation;
      const fields: Envelope = { type: 'async', status: 'Operation created', status_code: 100, operation };
      sendJson(202, envelope(fields, JSON.stringify(reply.operation)));
      return;
    }
    case 'stream':
      await sendStream(response, reply);
      return;
    case 'upgrade':
      reply.stream.destroy();
      sendJson(
        400,
        envelope({ type: 'error', error_code: 400, error: 'This path needs an upgrade' }, 'null'),
      );
      return;
    case 'websocket':
      sendJson(
        400,
        envelope({ type: 'error', error_code: 400, error: 'This path needs a websocket upgrade' }, 'null'),
      );
  }
}

/** Anything thrown, in LXD's words and with its status. */
export function sendError(response: ServerResponse, thrown: unknown): void {
  const error = toLxdError(thrown);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = httpStatusOf(error.code);
  const body = envelope({ type: 'error', error_code: status, error: error.message }, 'null');
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
  });
  response.end(body);
}
