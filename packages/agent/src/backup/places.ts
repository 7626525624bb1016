import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';

/** What is being written or came for an import. */
export const partial = '.partial-';

/** Backup files of instances are in here, by their id. */
export const backupsDir = (dir: string): string => join(dir, 'backups', 'instances');

/** @throws LxdError `invalid`: an id becomes a file name */
export function backupPath(dir: string, id: string): string {
  if (!/^[0-9a-f-]{8,64}$/.test(id)) throw new LxdError('invalid', `"${id}" is not the id of a backup`);
  return join(backupsDir(dir), id);
}

export const partialBackup = (dir: string, id: string): string => {
  const path = backupPath(dir, id);
  return join(path, '..', `${partial}${id}`);
};

/** Makes the directory, and removes what a crash cut off. */
export async function openBackups(dir: string): Promise<void> {
  const backups = backupsDir(dir);
  await mkdir(backups, { recursive: true, mode: 0o700 });
  for (const name of await readdir(backups)) {
    if (name.startsWith(partial)) await rm(join(backups, name), { recursive: true, force: true });
  }
}
