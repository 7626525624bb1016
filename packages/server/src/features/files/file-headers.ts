import type { IncomingHttpHeaders } from 'node:http';
import { LxdError } from '@lxd-ts/core';
import type { sftp } from '@lxd-ts/rpc';

const typeMask = 0o170000;
const types: Readonly<Record<number, FileType>> = {
  0o040000: 'directory',
  0o100000: 'file',
  0o120000: 'symlink',
};

export type FileType = 'file' | 'directory' | 'symlink';

/** What a client wants of a file that it sends. */
export interface FileWish {
  type: FileType;
  append: boolean;
  uid?: number;
  gid?: number;
  mode?: number;
}

/** @throws LxdError `invalid` for devices, sockets and FIFOs */
export function typeOf({ mode }: sftp.FileStat, path: string): FileType {
  const type = types[mode & typeMask];
  if (type) return type;
  throw new LxdError(
    'invalid',
    `"${path}" is a device, a socket or a FIFO; only files, directories and links are told`,
  );
}

/** Go's way to print a time. */
const modified = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;

/** LXD's headers of a file. */
export const headersOf = (stat: sftp.FileStat, type: FileType): Record<string, string> => ({
  'X-LXD-gid': String(stat.gid),
  'X-LXD-mode': `0${(stat.mode & 0o7777).toString(8).padStart(3, '0')}`,
  'X-LXD-modified': modified(stat.mtime),
  'X-LXD-type': type,
  'X-LXD-uid': String(stat.uid),
});

function one(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  return text === '' ? undefined : text;
}

/** An id that can be stored; -1 is LXD's word for none. */
function idOf(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = one(headers, name);
  if (value === undefined || value === '-1') return undefined;
  const id = Number(value);
  if (/^\d+$/.test(value) && id < 0xffffffff) return id;
  throw new LxdError('invalid', `"${name}" must be a number from 0 to 4294967294, not "${value}"`);
}

/** With a zero in front it is octal, else decimal, and then of rights alone: clients send both. */
function modeOf(headers: IncomingHttpHeaders): number | undefined {
  const value = one(headers, 'X-LXD-mode');
  if (value === undefined) return undefined;
  if (/^0[0-7]{0,6}$/.test(value)) return parseInt(value, 8) & 0o7777;
  if (/^\d{1,6}$/.test(value) && !value.startsWith('0')) return Number(value) & 0o777;
  throw new LxdError(
    'invalid',
    `"X-LXD-mode" must be octal with a zero in front (0644) or decimal, not "${value}"`,
  );
}

/** @throws LxdError `invalid` naming the header */
export function wishOf(headers: IncomingHttpHeaders): FileWish {
  const type = one(headers, 'X-LXD-type') ?? 'file';
  const write = one(headers, 'X-LXD-write') ?? 'overwrite';
  if (type !== 'file' && type !== 'directory' && type !== 'symlink')
    throw new LxdError('invalid', `Bad file type: ${type}`);
  if (write !== 'overwrite' && write !== 'append')
    throw new LxdError('invalid', `Bad file write mode: ${write}`);
  const [uid, gid, mode] = [idOf(headers, 'X-LXD-uid'), idOf(headers, 'X-LXD-gid'), modeOf(headers)];
  return {
    type,
    append: write === 'append',
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(mode === undefined ? {} : { mode }),
  };
}
