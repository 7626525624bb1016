import type { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { readBody } from '../../http/body.ts';
import {
  created,
  empty,
  started,
  sync,
  type Reply,
  type RequestContext,
  type Route,
} from '../../http/route.ts';
import type { ImageRecord, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import {
  aliasTag,
  aliasUrl,
  aliasView,
  changeAlias,
  createAlias,
  deleteAlias,
  findAlias,
  renameAlias,
  type AliasBody,
} from './aliases.ts';
import { parseFilter } from '../shared/filter.ts';
import { isPublish, publish } from './publish.ts';
import { expectImage, importRemote, type ImagesPost } from './import-remote.ts';
import { sendImage, type ImageExportPost } from './send.ts';
import type { ImagePuller } from './pull.ts';
import { joinParts } from './multipart.ts';
import { startRefresh } from './refresh.ts';
import { imagesService, type ImagePut } from './service.ts';
import { streamRoutes } from './stream-face.ts';
import { uploadImage } from './upload.ts';
import { createImageToken, imageToken } from './tokens.ts';
import { findImage, imageTag, imageView } from './view.ts';

const fingerprintOf = (request: RequestContext): string => request.params['fingerprint'] ?? '';
const aliasOf = (request: RequestContext): string => request.params['name'] ?? '';

/** Of a body, which stays whole; empty: it has none. */
async function firstByte(stream: Readable): Promise<string> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      stream.unshift(chunk);
      return chunk.toString('latin1', 0, 1);
    }
    if (stream.readableEnded || stream.destroyed) return '';
    await new Promise((resolve) =>
      stream.once('readable', resolve).once('end', resolve).once('close', resolve),
    );
  }
}

/** Every route below `/1.0/images` that there is. */
export function imagesRoutes(services: Services, puller: ImagePuller): Route[] {
  const service = imagesService(services);
  const isPublic = (project: string, fingerprint: string): boolean =>
    services.records.get('images', project, fingerprint)?.value.public === true;

  const named = (request: RequestContext): number | undefined => {
    const { value, revision } = findImage(services, request.project, fingerprintOf(request));
    request.checkETag(imageTag(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  /** Strangers see what is public, and what they have a secret for. @throws LxdError `not-found` */
  const visible = (request: RequestContext): Versioned<ImageRecord> => {
    const { caller, project, query } = request;
    const secret = query.get('secret');
    return findImage(
      services,
      project,
      fingerprintOf(request),
      ({ fingerprint, public: open }) =>
        caller.trusted || open || Boolean(secret && imageToken(services, 'download', fingerprint, secret)),
    );
  };

  const list: Route = {
    operationId: 'imagesGet',
    untrusted: true,
    handle: ({ project, query, caller }) => {
      const views = services.records
        .list('images', project)
        .filter(({ value }) => caller.trusted || value.public)
        .map(({ value }) => imageView(services, value))
        .filter(parseFilter(query.get('filter')));
      const full = query.get('recursion') === '1';
      return Promise.resolve(
        sync(full ? views : views.map((view) => `/1.0/images/${String(view['fingerprint'])}`)),
      );
    },
  };

  const post: Route = {
    operationId: 'imagesPost',
    // Another server comes with nothing but a secret for the one image that it is to send.
    untrusted: true,
    async handle({ project, headers, stream, caller, signal }) {
      const [secret, expected] = [headers['x-lxd-secret'], headers['x-lxd-fingerprint']];
      if (typeof secret === 'string') {
        const token =
          typeof expected === 'string' ? imageToken(services, 'upload', expected, secret) : undefined;
        if (!token) throw new LxdError('forbidden', 'not authorized');
        const upload = { project: token.project, headers, body: stream, caller, secret, token };
        return started(await uploadImage(services, upload, signal));
      }
      if (!caller.trusted) throw new LxdError('forbidden', 'not authorized');
      const type = headers['content-type'];
      // Some say nothing of what they send; no image begins like that.
      if (type?.startsWith('application/json') || (type === undefined && (await firstByte(stream)) === '{')) {
        const body = ((await readBody(stream, headers, 'imagesPost')) ?? {}) as ImagesPost;
        const asked = { project, body, caller };
        if (body.source?.mode === 'push') return started(await expectImage(services, asked));
        return started(
          await (isPublish(body) ? publish(services, asked) : importRemote(services, puller, asked)),
        );
      }
      return started(await uploadImage(services, { project, headers, body: stream, caller }, signal));
    },
  };

  const get: Route = {
    operationId: 'imageGet',
    untrusted: true,
    handle: async (request) => {
      const { value } = visible(request);
      return Promise.resolve(sync(imageView(services, value), imageTag(value)));
    },
  };

  const put: Route<ImagePut> = {
    operationId: 'imagePut',
    async handle(request) {
      const { project, body, signal, caller } = request;
      const options = { signal, caller, revision: named(request) };
      await service.put(project, fingerprintOf(request), body, options);
      return empty;
    },
  };

  const patch: Route<ImagePut> = {
    operationId: 'imagePatch',
    async handle(request) {
      const { project, body, signal, caller } = request;
      const options = { signal, caller, revision: named(request) };
      await service.patch(project, fingerprintOf(request), body, options);
      return empty;
    },
  };

  const remove: Route = {
    operationId: 'imageDelete',
    handle: async (request) =>
      started(await service.delete(request.project, fingerprintOf(request), request.caller)),
  };

  const exportFiles: Route = {
    operationId: 'imageExportGet',
    untrusted: true,
    async handle(request): Promise<Reply> {
      const { value } = visible(request);
      const { fingerprint, files } = await service.files(request.project, value.fingerprint, request);
      const [only] = files;
      if (!only) throw new LxdError('not-found', 'Image not found');
      if (files.length > 1) {
        const boundary = fingerprint.slice(0, 60);
        const type = `multipart/form-data; boundary=${boundary}`;
        return { kind: 'stream', body: joinParts(files, boundary), headers: { 'Content-Type': type } };
      }
      return {
        kind: 'stream',
        body: only.body,
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(only.size),
          'Content-Disposition': `inline;filename=${only.filename}`,
        },
      };
    },
  };

  const send: Route<ImageExportPost> = {
    operationId: 'imageExportPost',
    handle: async (request) => {
      const { fingerprint } = findImage(services, request.project, fingerprintOf(request)).value;
      const files = (signal: AbortSignal) =>
        service.files(request.project, fingerprint, { signal, caller: request.caller });
      const { project, body } = request;
      return started(await sendImage(services, { project, fingerprint, files }, body));
    },
  };

  const secret: Route = {
    operationId: 'imageSecretPost',
    handle: async (request) => {
      const { fingerprint } = findImage(services, request.project, fingerprintOf(request)).value;
      const token = { kind: 'download' as const, project: request.project, fingerprint };
      return started(await createImageToken(services, token));
    },
  };

  const refresh: Route = {
    operationId: 'imageRefreshPost',
    handle: async ({ project, params, caller }) =>
      started(await startRefresh(services, puller, project, params['fingerprint'] ?? '', { caller })),
  };

  const aliases: Route = {
    operationId: 'imageAliasesGet',
    untrusted: true,
    handle: ({ project, query, caller }) => {
      const records = services.records
        .list('imageAliases', project)
        .map(({ value }) => value)
        .filter(({ target }) => caller.trusted || isPublic(project, target));
      const full = query.get('recursion') === '1';
      return Promise.resolve(sync(full ? records.map(aliasView) : records.map(({ name }) => aliasUrl(name))));
    },
  };

  const aliasPost: Route<AliasBody> = {
    operationId: 'imageAliasesPost',
    async handle({ project, body, signal, caller }) {
      await createAlias(services, project, body, { signal, caller });
      return created(aliasUrl(body.name ?? ''));
    },
  };

  const aliasGet: Route = {
    operationId: 'imageAliasGet',
    untrusted: true,
    handle: (request) => {
      const { value } = findAlias(services, request.project, aliasOf(request));
      if (!request.caller.trusted && !isPublic(request.project, value.target))
        throw new LxdError('not-found', 'Image alias not found');
      return Promise.resolve(sync(aliasView(value), aliasTag(value)));
    },
  };

  const aliasPut: Route<AliasBody> = {
    operationId: 'imageAliasPut',
    async handle(request) {
      const { project, body } = request;
      request.checkETag(aliasTag(findAlias(services, project, aliasOf(request)).value));
      if (!body.target) throw new LxdError('invalid', 'The target field is required');
      const whole = { target: body.target, description: body.description ?? '' };
      await changeAlias(services, project, aliasOf(request), whole, request);
      return empty;
    },
  };

  const aliasPatch: Route<AliasBody> = {
    operationId: 'imageAliasPatch',
    async handle(request) {
      const { project, body } = request;
      request.checkETag(aliasTag(findAlias(services, project, aliasOf(request)).value));
      await changeAlias(services, project, aliasOf(request), body, request);
      return empty;
    },
  };

  const aliasRename: Route<AliasBody> = {
    operationId: 'imageAliasPost',
    async handle(request) {
      const to = request.body.name ?? '';
      await renameAlias(services, request.project, aliasOf(request), to, request);
      return created(aliasUrl(to));
    },
  };

  const aliasDelete: Route = {
    operationId: 'imageAliasDelete',
    async handle(request) {
      await deleteAlias(services, request.project, aliasOf(request), request);
      return empty;
    },
  };

  return [
    list,
    post,
    get,
    put,
    patch,
    remove,
    exportFiles,
    send,
    secret,
    refresh,
    aliases,
    aliasPost,
    aliasGet,
    aliasPut,
    aliasPatch,
    aliasRename,
    aliasDelete,
    ...streamRoutes(services, service),
  ];
}
