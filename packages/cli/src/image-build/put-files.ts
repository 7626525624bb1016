import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { deleteFile, pullFile, pushFile, type Client, type FileType } from '@lxd-ts/client';
import type { Builder } from './builder.ts';
import type { OwnedNode } from './read-inputs.ts';

const missing = (error: unknown): undefined => {
  if (toLxdError(error).code === 'not-found') return undefined;
  throw error;
};

async function typeOf(client: Client, name: string, path: string): Promise<FileType | undefined> {
  const found = await pullFile(client, name, path).catch(missing);
  found?.body?.destroy();
  return found?.type;
}

async function readText({ client, name }: Builder, path: string): Promise<string> {
  const found = await pullFile(client, name, path).catch(missing);
  return found?.type === 'file' && found.body ? text(found.body) : '';
}

/** A user as the image knows it. */
export interface BuilderUser {
  uid: number;
  gid: number;
  home: string;
}

/** Looks users and groups up in the image's own files. */
export async function usersOf(builder: Builder): Promise<(owner: string) => BuilderUser> {
  const rows = (content: string): string[][] => content.split('\n').map((line) => line.split(':'));
  const [users, groups] = [
    rows(await readText(builder, '/etc/passwd')),
    rows(await readText(builder, '/etc/group')),
  ];
  return (owner) => {
    const [user = '', group] = owner.split(':');
    const row = users.find(([name, , uid]) => name === user || uid === user);
    const isNumber = (word: string): boolean => /^\d+$/.test(word);
    if (!row && !isNumber(user)) throw new LxdError('invalid', `The image has no user "${user}"`);
    const uid = Number(row?.[2] ?? user);
    const home = row?.[5] ?? '/';
    if (group === undefined) return { uid, gid: Number(row?.[3] ?? user), home };
    const found = groups.find(([name, , gid]) => name === group || gid === group);
    if (!found && !isNumber(group)) throw new LxdError('invalid', `The image has no group "${group}"`);
    return { uid, gid: Number(found?.[2] ?? group), home };
  };
}

/** Puts files, links and directories in. What is there of another kind, and files that are there, are replaced. */
export async function putFiles(
  builder: Builder,
  nodes: readonly OwnedNode[],
  signal: AbortSignal,
): Promise<void> {
  const { client, name } = builder;
  const users = await usersOf(builder);
  const there = new Set(['/']);
  const directory = async (
    path: string,
    owner: { uid: number; gid: number; mode: number },
  ): Promise<void> => {
    if (there.has(path)) return;
    const type = await typeOf(client, name, path);
    if (type === 'file') throw new LxdError('invalid', `"${path}" is a file of the image, not a directory`);
    if (type === undefined) {
      await directory(posix.dirname(path), { uid: 0, gid: 0, mode: 0o755 });
      await pushFile(client, name, path, { type: 'directory', ...owner }, signal);
    }
    there.add(path);
  };
  for (const { path, type, mode = 0o644, owner, target = '', open } of nodes) {
    signal.throwIfAborted();
    const { uid, gid } = users(owner);
    if (type === 'directory') {
      await directory(path, { uid, gid, mode });
      continue;
    }
    await directory(posix.dirname(path), { uid: 0, gid: 0, mode: 0o755 });
    await deleteFile(client, name, path).catch(missing);
    const body = type === 'file' && open ? await open() : Readable.from([Buffer.from(target)]);
    await pushFile(
      client,
      name,
      path,
      { type, uid, gid, ...(type === 'file' ? { mode } : {}), body },
      signal,
    );
  }
}
