import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { pullFile, pushFile, type FileOwner } from '@lxd-ts/client';
import { meter } from '../image/upload.ts';
import { localError, type FilePlace } from './places.ts';

/** A stream of this machine into a file of an instance. */
export async function pushStream(
  { context, instance, path }: FilePlace,
  source: Readable,
  what: FileOwner & { label: string; size: number },
): Promise<void> {
  using progress = context.progress(`Pushing ${what.label} to ${path}`);
  const { uid, gid, mode } = what;
  const body = source.pipe(meter(progress, what.size, () => context.io.now().getTime()));
  const failed = Promise.withResolvers<never>();
  source.once('error', (error) => {
    failed.reject(localError(error, what.label));
    body.destroy(error);
  });
  const pushed = pushFile(context.client, instance, path, { type: 'file', uid, gid, mode, body });
  await Promise.race([pushed, failed.promise]);
}

/** One file. Owner and mode are its own where none are wanted. */
export async function pushOne(place: FilePlace, source: string, wanted: FileOwner): Promise<void> {
  const found = await stat(source).catch((error: unknown) => {
    throw localError(error, source);
  });
  if (found.isDirectory()) throw new LxdError('invalid', `"${source}" is a directory: use --recursive`);
  await pushStream(place, createReadStream(source), {
    uid: wanted.uid ?? found.uid,
    gid: wanted.gid ?? found.gid,
    mode: wanted.mode ?? found.mode & 0o7777,
    label: source,
    size: found.isFile() ? found.size : 0,
  });
}

/** A directory with all that is in it, or whatever else it is, under its own name. Links stay links. */
export async function pushTree(into: FilePlace, source: string): Promise<void> {
  const visit = async (from: string, path: string): Promise<void> => {
    const found = await lstat(from);
    const place = { ...into, path };
    const owner = { uid: found.uid, gid: found.gid, mode: found.mode & 0o7777 };
    const push = (what: Parameters<typeof pushFile>[3]) =>
      pushFile(into.context.client, into.instance, path, { ...owner, ...what });
    if (found.isDirectory()) {
      await push({ type: 'directory' });
      for (const name of (await readdir(from)).sort()) await visit(join(from, name), posix.join(path, name));
    } else if (found.isSymbolicLink()) {
      await push({ type: 'symlink', body: Readable.from([Buffer.from(await readlink(from))]) });
    } else if (found.isFile()) {
      await pushStream(place, createReadStream(from), { ...owner, label: from, size: found.size });
    } else {
      throw new LxdError('invalid', `"${from}" is a device, a socket or a FIFO: it cannot be pushed`);
    }
  };
  try {
    await visit(source, posix.join(into.path, basename(resolve(source))));
  } catch (error) {
    throw localError(error, source);
  }
}

/** A directory of an instance with those above it, where they are missing. */
export async function makeDirectories(place: FilePlace, owner: FileOwner): Promise<void> {
  const { context, instance } = place;
  const missing: string[] = [];
  for (let path = posix.resolve('/', place.path); path !== '/'; path = posix.dirname(path)) {
    try {
      const { type, body } = await pullFile(context.client, instance, path);
      body?.destroy();
      // Whether a link leads to a directory is told when something is put into it.
      if (type === 'file') throw new LxdError('invalid', `"${path}" is not a directory`);
      break;
    } catch (error) {
      if (toLxdError(error).code !== 'not-found') throw error;
      missing.unshift(path);
    }
  }
  for (const path of missing)
    await pushFile(context.client, instance, path, { type: 'directory', mode: 0o755, ...owner });
}
