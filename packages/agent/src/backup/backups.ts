import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import type { BackupFile, CallOptions, ReceivedBackup } from '@lxd-ts/rpc';
import type { AgentContext } from '../context.ts';
import { backupPath, backupsDir, partial, partialBackup } from './places.ts';
import { readIndex } from './restore-backup.ts';

/** Who says what is kept may not have heard yet of what was written just now. */
const youngMs = 10_000;
const chunkBytes = 256 * 1024;

/** Opened for reading. @throws LxdError `not-found` */
export async function readBackup({ dir }: AgentContext, id: string): Promise<BackupFile> {
  const path = backupPath(dir, id);
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new LxdError('not-found', 'The file of the backup is not on this member');
  return {
    size: found.size,
    modifiedAt: found.mtime.toISOString(),
    body: createReadStream(path, { highWaterMark: chunkBytes }),
  };
}

/** Gone already: nothing done. */
export async function deleteBackup({ dir }: AgentContext, id: string): Promise<void> {
  for (const path of [backupPath(dir, id), partialBackup(dir, id)])
    await rm(path, { recursive: true, force: true });
}

/** Files that nobody knows of go; what is being written, is new, or came for an import stays. */
export async function keepBackups({ dir }: AgentContext, ids: readonly string[]): Promise<void> {
  const kept = new Set(ids);
  for (const name of await readdir(backupsDir(dir)).catch(() => [])) {
    if (name.startsWith(partial) || kept.has(name)) continue;
    const path = join(backupsDir(dir), name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > youngMs) await rm(path, { force: true });
  }
}

/** Keeps what is uploaded until an instance was made from it, or `deleteBackup`. @throws LxdError when it is no backup */
export async function receiveBackup(
  context: AgentContext,
  id: string,
  body: Readable,
  options: CallOptions,
): Promise<ReceivedBackup> {
  const work = partialBackup(context.dir, id);
  await mkdir(work, { mode: 0o700 });
  const file = join(work, 'file');
  try {
    await pipeline(body, createWriteStream(file, { mode: 0o600, highWaterMark: chunkBytes }), {
      signal: options.signal,
    });
    if ((await stat(file)).size === 0) throw new LxdError('internal', 'EOF');
    return { index: await readIndex(context, file, options) };
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
}
