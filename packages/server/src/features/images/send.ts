import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { ImageFile } from '@lxd-ts/rpc';
import type { Services } from '../../services.ts';
import { joinParts } from './multipart.ts';
import { askRemote, checkServer, jsonOf } from './remote.ts';

export interface ImageExportPost {
  /** `https://HOST:PORT` */
  target?: string;
  /** Of the operation by which the target expects it. */
  secret?: string;
  /** PEM that the target must show; absent: one that the machine trusts. */
  certificate?: string;
  /** Of the target. */
  project?: string;
}

interface Sent {
  project: string;
  fingerprint: string;
  files(signal: AbortSignal): Promise<{ files: ImageFile[] }>;
}

interface Answered {
  metadata?: {
    id?: string;
    status_code?: number;
    err?: string;
    metadata?: { secret?: string } | null;
  } | null;
}

/** Sends an image to a server that expects it. @throws LxdError `invalid` */
export function sendImage(
  { operations }: Services,
  { project, fingerprint, files }: Sent,
  to: ImageExportPost,
): Promise<OperationView> {
  const { target = '', certificate, secret = '' } = to;
  const url = checkServer('target', target, certificate);
  const query = { project: to.project };
  return operations.start({
    class: 'task',
    description: 'Downloading image',
    project,
    resources: {},
    mayCancel: true,
    run: async ({ signal }) => {
      const { files: all } = await files(signal);
      using unread = new DisposableStack();
      // What nobody comes to read would stay open.
      for (const { body } of all) unread.defer(() => void body.destroy());
      const [only] = all;
      if (!only) throw new LxdError('not-found', 'Image not found');
      const boundary = fingerprint.slice(0, 60);
      const isSplit = all.length > 1;
      const headers = {
        'X-LXD-secret': secret,
        'X-LXD-fingerprint': fingerprint,
        'Content-Type': isSplit ? `multipart/form-data; boundary=${boundary}` : 'application/octet-stream',
        ...(isSplit ? {} : { 'X-LXD-filename': only.filename, 'Content-Length': String(only.size) }),
      };
      const body = isSplit ? joinParts(all, boundary) : only.body;
      const upload = { certificate, method: 'POST', path: '/1.0/images', query, headers, body };
      const begun = (await jsonOf(await askRemote(url, upload, signal))) as Answered;
      const { id = '', metadata } = begun.metadata ?? {};
      // The other one answers when it has unpacked all of it.
      const wait = {
        certificate,
        path: `/1.0/operations/${encodeURIComponent(id)}/wait`,
        query: { ...query, secret: metadata?.secret, timeout: '-1' },
      };
      const over = (await jsonOf(await askRemote(url, wait, signal))) as Answered;
      if (over.metadata?.status_code !== 200)
        throw new LxdError('internal', `${url.host}: ${over.metadata?.err || 'the image was not taken'}`);
    },
  });
}
