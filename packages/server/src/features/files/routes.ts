import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { empty, type Reply, type RequestContext, type Route } from '../../http/route.ts';
import { headersOf, typeOf, wishOf } from './file-headers.ts';
import { push } from './push.ts';
import type { FilesService } from './service.ts';
import { openFlags } from '@lxd-ts/rpc';

const protocol = 'sftp';

const refOf = ({ project, params }: RequestContext) => ({ project, name: params['name'] ?? '' });

/** The name alone goes into the header: without what would end it. */
const disposition = (path: string): string =>
  `inline;filename=${encodeURIComponent(posix.basename(path)).replaceAll('%20', ' ')}`;

/** Everything below `/1.0/instances/{name}/files`, and `/sftp`. */
export function filesRoutes(files: FilesService): Route[] {
  /** @throws LxdError `not-found`, `invalid` */
  const pathOf = (request: RequestContext): string => {
    files.check(refOf(request));
    const path = request.query.get('path');
    if (!path) throw new LxdError('invalid', 'Missing path argument');
    if (path.includes('\0')) throw new LxdError('invalid', '"path" holds a NUL character');
    return posix.resolve('/', path) === '/' ? '/' : path;
  };

  const get: Route = {
    operationId: 'instanceFilesGet',
    async handle(request) {
      const path = pathOf(request);
      const ref = refOf(request);
      const lease = await files.lease(ref, request.signal);
      const { client } = lease;
      try {
        const found = await client.lstat(path);
        const type = typeOf(found, path);
        let reply: Reply;
        if (type === 'directory') {
          reply = { kind: 'sync', metadata: await client.list(path), headers: headersOf(found, type) };
          lease[Symbol.dispose]();
        } else {
          const handle = type === 'file' ? await client.open(path, openFlags.read) : undefined;
          // It may be another one by now.
          const stat = handle ? await client.fstat(handle) : found;
          const content = handle ? client.read(handle, stat.size) : [await client.readlink(path)];
          const body = Readable.from(content, { objectMode: false, highWaterMark: 256 * 1024 });
          body.once('close', () => lease[Symbol.dispose]());
          const headers = {
            ...headersOf(stat, type),
            'Content-Type': 'application/octet-stream',
            'Content-Disposition': disposition(path),
          };
          reply = {
            kind: 'stream',
            body,
            headers,
            ...(handle && stat.size > 0 ? { length: stat.size } : {}),
          };
        }
        files.tell('retrieved', ref, path);
        return reply;
      } catch (error) {
        lease[Symbol.dispose]();
        throw error;
      }
    },
  };

  const head: Route = {
    operationId: 'instanceFilesHead',
    async handle(request) {
      const path = pathOf(request);
      const found = await files.with(refOf(request), request.signal, (client) => client.lstat(path));
      const headers = { ...headersOf(found, typeOf(found, path)), 'Content-Type': 'application/json' };
      return { kind: 'stream', body: Readable.from([]), headers };
    },
  };

  const post: Route = {
    operationId: 'instanceFilesPost',
    async handle(request) {
      const path = pathOf(request);
      const wish = wishOf(request.headers);
      // A refusal in the middle is answered: the connection is not torn down under it.
      const body = request.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      await files.with(refOf(request), request.signal, (client) => push(client, path, wish, body));
      files.tell('pushed', refOf(request), path);
      return empty;
    },
  };

  const remove: Route = {
    operationId: 'instanceFilesDelete',
    async handle(request) {
      const path = pathOf(request);
      await files.with(refOf(request), request.signal, async (client) => {
        const type = (await client.lstat(path)).mode & 0o170000;
        // Of a link that ends in a slash it is the directory behind it.
        await (type === 0o040000 ? client.rmdir(path) : client.remove(path));
      });
      files.tell('deleted', refOf(request), path);
      return empty;
    },
  };

  const sftp: Route = {
    operationId: 'instanceSftpGet',
    async handle(request) {
      const ref = refOf(request);
      if (request.headers.upgrade?.toLowerCase() !== protocol)
        throw new LxdError('invalid', 'Missing or invalid upgrade header');
      files.check(ref);
      return { kind: 'upgrade', protocol, stream: await files.open(ref, request.signal) };
    },
  };

  return [get, head, post, remove, sftp];
}
