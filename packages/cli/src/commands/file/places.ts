import { LxdError } from '@lxd-ts/core';
import type { Context } from '../../base/context.ts';
import type { Shell } from '../../base/shell.ts';

/** A file of an instance, as people write it: `[remote:]instance/path`. */
export interface FilePlace {
  context: Context;
  instance: string;
  /** Absolute. A slash at its end says that it is a directory. */
  path: string;
}

/** @param what it is, for the error: `path`, `target` */
export async function filePlace(shell: Shell, text: string, what: string): Promise<FilePlace> {
  // A colon after the first slash is of the path.
  const slash = text.indexOf('/');
  if (slash < 0) throw new LxdError('invalid', `Invalid ${what} "${text}": it is written <instance>/<path>`);
  const [context, instance] = await shell.require(text.slice(0, slash), 'instance');
  return { context, instance, path: `/${text.slice(slash).replace(/^\/+/, '')}` };
}

/** `--mode`: octal, as of chmod. */
export function parseMode(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-7]{1,5}$/.test(text) && parseInt(text, 8) <= 0o7777) return parseInt(text, 8);
  throw new LxdError('invalid', `Invalid mode "${text}": it is octal, e.g. 0644`);
}

/** `--uid`, `--gid`: -1 says nothing. */
export function parseId(id: number | undefined, flag: string): number | undefined {
  if (id === undefined || id === -1) return undefined;
  if (id >= 0 && id < 0xffffffff) return id;
  throw new LxdError('invalid', `Invalid --${flag} ${id}: it is a number from 0 on`);
}

/** What went wrong with a file of this machine. */
export function localError(error: unknown, path: string): LxdError {
  if (error instanceof LxdError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return new LxdError('not-found', `Cannot open "${path}": no such file or directory`, { cause: error });
  return new LxdError('invalid', `Cannot open "${path}": ${message}`, { cause: error });
}
