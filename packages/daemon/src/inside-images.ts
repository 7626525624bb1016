import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { json } from 'node:stream/consumers';

const passedOn = ['accept-ranges', 'content-disposition', 'content-length', 'content-type', 'last-modified'];

/** What is told of an image that is not there, or not for everybody. */
const notFound = JSON.stringify({
  type: 'error',
  status: '',
  status_code: 0,
  operation: '',
  error_code: 404,
  error: 'Image not found',
  metadata: null,
});

/**
 * Images for instances that may have them (`security.devlxd.images`): those that are public, and those that were fetched from
 * elsewhere. The daemon's own socket is asked, so that it is the same wherever the image and the control plane are.
 */
export function imagesForInside(dir: string) {
  const get = async (path: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ socketPath: join(dir, 'unix.socket'), path, signal, agent: false })
      .once('response', resolve)
      .once('error', reject)
      .end();
    return promise;
  };

  return async (project: string, name: string, response: ServerResponse): Promise<void> => {
    const over = new AbortController();
    response.once('close', () => over.abort());
    const pathOf = (image: string) => `/1.0/images/${encodeURIComponent(image)}`;
    const query = `?project=${encodeURIComponent(project)}`;
    const found = await get(pathOf(name) + query, over.signal);
    const { metadata } = (await json(found)) as {
      metadata?: { fingerprint: string; public?: boolean; cached?: boolean } | null;
    };
    if (found.statusCode !== 200 || !(metadata?.public || metadata?.cached)) {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end(`${notFound}\n`);
      return;
    }
    // The very one that was looked at: `name` may be the beginning of another by now.
    const file = await get(`${pathOf(metadata.fingerprint)}/export${query}`, over.signal);
    const headers = passedOn.flatMap((header) =>
      file.headers[header] === undefined ? [] : [[header, file.headers[header]]],
    );
    response.writeHead(file.statusCode ?? 502, Object.fromEntries(headers) as Record<string, string>);
    await pipeline(file, response);
  };
}
