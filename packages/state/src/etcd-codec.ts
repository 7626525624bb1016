import { LxdError } from '@lxd-ts/core';
import type { ICompare, IKeyValue, IRequestOp } from 'etcd3';
import type { Change, Entry, Guard } from './store.ts';

/** The first key after all keys with this prefix. Prefixes end in ASCII. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end.writeUInt8(end.readUInt8(last) + 1, last);
  return end;
}

/** @throws LxdError `internal` when the value is not ours */
export function entryOf(kv: IKeyValue): Entry {
  const key = kv.key.toString();
  let value: unknown;
  try {
    value = JSON.parse(kv.value.toString());
  } catch (error) {
    throw new LxdError('internal', `The value of ${key} in etcd is damaged: it is not JSON`, {
      cause: error,
    });
  }
  return { key, value, createRevision: Number(kv.create_revision), modRevision: Number(kv.mod_revision) };
}

export const compareOf = (guard: Guard): ICompare =>
  'modRevision' in guard
    ? { key: Buffer.from(guard.key), result: 'Equal', target: 'Mod', mod_revision: guard.modRevision }
    : {
        key: Buffer.from(guard.key),
        result: 'Equal',
        target: 'Create',
        create_revision: guard.createRevision,
      };

export function requestOf(change: Change): IRequestOp {
  switch (change.type) {
    case 'put':
      return {
        request_put: {
          key: Buffer.from(change.key),
          value: Buffer.from(JSON.stringify(change.value)),
          ...(change.lease && { lease: change.lease.id }),
        },
      };
    case 'delete':
      return { request_delete_range: { key: Buffer.from(change.key) } };
    case 'delete-prefix':
      return {
        request_delete_range: { key: Buffer.from(change.prefix), range_end: prefixEnd(change.prefix) },
      };
  }
}
