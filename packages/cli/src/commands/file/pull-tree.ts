import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { pullFile, type PulledFile } from '@lxd-ts/client';
import { meter } from '../image/upload.ts';
import { localError, type FilePlace } from './places.ts';

/** The content of a file, with its progress. */
export async function saveBody(
  place: FilePlace,
  file: PulledFile,
  target: string,
  sink: NodeJS.WritableStream,
): Promise<void> {
  const { context, instance, path } = place;
  using progress = context.progress(`Pulling ${instance}${path} to ${target}`);
  const counter = meter(progress, file.size ?? 0, () => context.io.now().getTime());
  if (file.body) await pipeline(file.body, counter, sink, { end: sink !== context.io.stdout });
}

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;

/**
 * Writes what was pulled. Below the target that the user chose, no link of this machine is followed: the instance, which may
 * have made it a moment ago, would choose where things are written.
 */
async function save(place: FilePlace, file: PulledFile, target: string, follow: boolean): Promise<void> {
  if (file.type === 'symlink') {
    const to = file.body ? await text(file.body) : '';
    if (!follow) await rm(target, { force: true });
    await symlink(to, target);
    return;
  }
  const handle = await open(target, O_WRONLY | O_CREAT | O_TRUNC | (follow ? 0 : O_NOFOLLOW), 0o600);
  await saveBody(place, file, target, handle.createWriteStream());
  await chmod(target, file.mode & 0o777);
}

/** One file, or a link, at exactly this place. */
export async function pullOne(place: FilePlace, file: PulledFile, target: string): Promise<void> {
  try {
    await save(place, file, target, true);
  } catch (error) {
    throw localError(error, target);
  }
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, 0o700).catch(async (error: unknown) => {
    if (!(await lstat(path)).isDirectory()) throw error;
  });
}

/** What is found at a place, with all that is in it. */
export async function pullTree(place: FilePlace, file: PulledFile, target: string): Promise<void> {
  try {
    if (file.type !== 'directory') {
      await save(place, file, target, false);
      return;
    }
    await makeDirectory(target);
  } catch (error) {
    throw localError(error, target);
  }
  for (const name of file.names ?? []) {
    if (name === '' || name === '.' || name === '..' || name.includes('/'))
      throw new LxdError('invalid', `The server tells of a file with the impossible name "${name}"`);
    const inner = { ...place, path: posix.join(place.path, name) };
    const found = await pullFile(place.context.client, place.instance, inner.path);
    await pullTree(inner, found, join(target, name));
  }
  await chmod(target, file.mode & 0o777);
}
