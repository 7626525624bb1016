import { LxdError } from '@lxd-ts/core';

/** Numbers of SFTP, version 3 (draft-ietf-secsh-filexfer-02). */
export const requests = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const answers = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
} as const;

export const statuses = { ok: 0, eof: 1, noSuchFile: 2, permissionDenied: 3 } as const;

export const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

export interface Attributes {
  uid?: number;
  gid?: number;
  /** Bits of permission, set-ID and sticky; of an answer also those of the type. */
  mode?: number;
}

/** What is known of a file; size in bytes, time in seconds since the epoch. */
export interface FileStat {
  size: number;
  uid: number;
  gid: number;
  mode: number;
  mtime: number;
}

export const u32 = (value: number): Buffer => {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return data;
};

export const u64 = (value: number): Buffer => {
  const data = Buffer.alloc(8);
  data.writeBigUInt64BE(BigInt(value));
  return data;
};

export const text = (value: string | Buffer): Buffer => {
  const data = Buffer.from(value);
  return Buffer.concat([u32(data.length), data]);
};

/** Owner and group only go together: who sets one sets both. */
export function attributes({ uid, gid, mode }: Attributes): Buffer {
  const owner = uid !== undefined && gid !== undefined;
  return Buffer.concat([
    u32((owner ? 2 : 0) | (mode === undefined ? 0 : 4)),
    ...(owner ? [u32(uid), u32(gid)] : []),
    ...(mode === undefined ? [] : [u32(mode)]),
  ]);
}

/** The fields of an answer, from the front. */
export class PacketReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  #take(size: number): Buffer {
    if (this.#at + size > this.#data.length) throw new LxdError('internal', 'An SFTP answer is cut off');
    this.#at += size;
    return this.#data.subarray(this.#at - size, this.#at);
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  bytes(): Buffer {
    return this.#take(this.u32());
  }

  attributes(): FileStat {
    const flags = this.u32();
    const size = flags & 1 ? Number(this.#take(8).readBigUInt64BE()) : 0;
    const [uid, gid] = flags & 2 ? [this.u32(), this.u32()] : [0, 0];
    const mode = flags & 4 ? this.u32() : 0;
    const [, mtime] = flags & 8 ? [this.u32(), this.u32()] : [0, 0];
    return { size, uid, gid, mode, mtime };
  }
}
