import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { toLxdError } from '@lxd-ts/core';
import { deleteFile, pullFile, pushFile, type Client, type PulledFile } from '@lxd-ts/client';

const path = '/etc/resolv.conf';

interface Found extends PulledFile {
  content: string;
}

/** @param signal of the build */
async function look(
  client: Client,
  instance: string,
  what: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  try {
    const found = await pullFile(client, instance, what, signal);
    return { ...found, content: found.body ? await text(found.body) : '' };
  } catch (error) {
    if (toLxdError(error).code === 'not-found') return undefined;
    throw error;
  }
}

/** With those above it, where they are missing. */
async function makeDirectory(
  client: Client,
  instance: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  if (directory === '/' || (await look(client, instance, directory, signal))) return;
  await makeDirectory(client, instance, posix.dirname(directory), signal);
  await pushFile(client, instance, directory, { type: 'directory', uid: 0, gid: 0, mode: 0o755 }, signal);
}

/**
 * Lets a running builder ask for names. Where its resolv.conf is a link into /run, which nobody keeps, the file is made there;
 * else it is exchanged until what is returned is called, unless somebody has made another of it meanwhile.
 */
export async function giveNameServer(
  client: Client,
  instance: string,
  server: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const content = `nameserver ${server}\n`;
  const write = (to: string, what: string, owner: { uid: number; gid: number; mode: number }) =>
    pushFile(
      client,
      instance,
      to,
      { type: 'file', body: Readable.from([Buffer.from(what)]), ...owner },
      signal,
    );
  const plain = { uid: 0, gid: 0, mode: 0o644 };
  const before = await look(client, instance, path, signal);
  if (before?.type === 'symlink') {
    const target = posix.resolve('/etc', before.content).replace(/^\/var\/run\//, '/run/');
    if (target.startsWith('/run/')) {
      await makeDirectory(client, instance, posix.dirname(target), signal);
      await write(target, content, plain);
      return () => Promise.resolve();
    }
  }
  if (before) await deleteFile(client, instance, path);
  else await makeDirectory(client, instance, '/etc', signal);
  await write(path, content, plain);
  return async () => {
    const now = await look(client, instance, path, signal);
    if (now?.type !== 'file' || now.content !== content) return;
    await deleteFile(client, instance, path);
    if (before?.type === 'file') await write(path, before.content, before);
    if (before?.type === 'symlink')
      await pushFile(
        client,
        instance,
        path,
        { type: 'symlink', body: Readable.from([Buffer.from(before.content)]) },
        signal,
      );
  };
}
