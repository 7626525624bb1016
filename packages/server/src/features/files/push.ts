import { LxdError } from '@lxd-ts/core';
import { typeOf, type FileWish } from './file-headers.ts';
import { openFlags, type Handle, type SftpClient } from '@lxd-ts/rpc';

/** LXD's, where the client names none. */
const usualMode = { file: 0o644, directory: 0o750 } as const;
/** As long as a link can be. */
const maxTargetBytes = 4095;

/** An id that the instance has not got is told by the kernel in no clearer way. */
const notGiven = (error: unknown): unknown =>
  error instanceof LxdError && error.code === 'internal'
    ? new LxdError(
        'invalid',
        `"X-LXD-uid" or "X-LXD-gid" is not one that the instance has (${error.message})`,
      )
    : error;

const owned = ({ uid = 0, gid = 0 }: FileWish) => ({ uid, gid });

/** Nobody else can read what is new before it has its owner and mode. Undefined: something is there. */
async function openNew(client: SftpClient, path: string, wish: FileWish): Promise<Handle | undefined> {
  let handle: Handle;
  try {
    handle = await client.open(path, openFlags.write | openFlags.create | openFlags.exclusive, 0o600);
  } catch (error) {
    // What else it may be, opening what is there will tell.
    if (error instanceof LxdError && error.code === 'internal') return undefined;
    throw error;
  }
  try {
    await client.fsetstat(handle, { ...owned(wish), mode: wish.mode ?? usualMode.file });
    return handle;
  } catch (error) {
    client.closeFile(handle).catch(() => undefined);
    await client.remove(path);
    throw notGiven(error);
  }
}

/** What is there keeps its owner and mode. */
async function openFile(
  client: SftpClient,
  path: string,
  wish: FileWish,
): Promise<{ handle: Handle; isNew: boolean }> {
  const made = wish.append ? undefined : await openNew(client, path, wish);
  if (made) return { handle: made, isNew: true };
  const how = wish.append ? openFlags.append : openFlags.create | openFlags.truncate;
  return { handle: await client.open(path, openFlags.write | how, usualMode.file), isNew: false };
}

async function pushFile(
  client: SftpClient,
  path: string,
  wish: FileWish,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  const { handle, isNew } = await openFile(client, path, wish);
  const { mode = 0 } = wish;
  try {
    await client.write(handle, body);
    // What is written to loses these bits.
    if (isNew && (mode & 0o6000) !== 0) await client.fsetstat(handle, { mode });
  } catch (error) {
    client.closeFile(handle).catch(() => undefined);
    throw error;
  }
  // What could not be stored is sometimes told only now.
  await client.closeFile(handle);
}

async function pushDirectory(client: SftpClient, path: string, wish: FileWish): Promise<void> {
  const mode = wish.mode ?? usualMode.directory;
  try {
    await client.mkdir(path, mode);
  } catch (error) {
    const found = await client.stat(path).catch(() => undefined);
    if (!found) throw error;
    if (typeOf(found, path) === 'directory') return;
    throw new LxdError('conflict', `"${path}" exists and is no directory`, { cause: error });
  }
  try {
    await client.lsetstat(path, { ...owned(wish), mode });
  } catch (error) {
    await client.rmdir(path);
    throw notGiven(error);
  }
}

async function pushLink(
  client: SftpClient,
  path: string,
  wish: FileWish,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
    if (chunks.reduce((sum, { length }) => sum + length, 0) > maxTargetBytes)
      throw new LxdError('too-large', `The target of a link has at most ${maxTargetBytes} bytes`);
  }
  await client.symlink(Buffer.concat(chunks), path);
  try {
    await client.lsetstat(path, owned(wish));
  } catch (error) {
    await client.remove(path);
    throw notGiven(error);
  }
}

/** Makes what the client sends. @throws LxdError */
export async function push(
  client: SftpClient,
  path: string,
  wish: FileWish,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  switch (wish.type) {
    case 'file':
      return pushFile(client, path, wish, body);
    case 'directory':
      return pushDirectory(client, path, wish);
    case 'symlink':
      return pushLink(client, path, wish, body);
  }
}
