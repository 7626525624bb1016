import { constants } from 'node:fs';
import { open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { LxdError, type InstanceRef } from '@lxd-ts/core';
import type { LogFile } from '@lxd-ts/rpc';
import { instancePaths } from './instance/paths.ts';

/** A plain file name and nothing else. @throws LxdError `invalid` */
export function checkedLogName(name: string): string {
  if (!/^[A-Za-z0-9][\w.-]{0,200}$/.test(name)) {
    throw new LxdError('invalid', `"${name}" is not the name of a log file`);
  }
  return name;
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function read(path: string, name: string): Promise<Readable> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return file.createReadStream();
  } catch (error) {
    if (isMissing(error))
      throw new LxdError('not-found', `Log file "${name}" does not exist`, { cause: error });
    throw error;
  }
}

/** The files under `logs/<instance>`: ours and liblxc's, never the container's own. */
export class Logs {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async list(ref: InstanceRef): Promise<LogFile[]> {
    const { logs } = instancePaths(this.#dir, ref);
    const names = await readdir(logs).catch(() => []);
    return Promise.all(
      names.sort().map(async (name) => ({ name, size: (await stat(join(logs, name))).size })),
    );
  }

  read(ref: InstanceRef, name: string): Promise<Readable> {
    return read(join(instancePaths(this.#dir, ref).logs, checkedLogName(name)), name);
  }

  async delete(ref: InstanceRef, name: string): Promise<void> {
    await rm(join(instancePaths(this.#dir, ref).logs, checkedLogName(name)), { force: true });
  }

  async readConsole(ref: InstanceRef): Promise<Readable> {
    const { consoleLog } = instancePaths(this.#dir, ref);
    return read(consoleLog, 'console.log').catch((error: unknown) => {
      if (error instanceof LxdError && error.code === 'not-found') return Readable.from([]);
      throw error;
    });
  }

  async clearConsole(ref: InstanceRef): Promise<void> {
    await truncate(instancePaths(this.#dir, ref).consoleLog, 0).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}
