import type { Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';

/** The end of a part of what is sent: on a websocket, LXD's empty text message. */
export const endOfPart = Symbol('end of part');

/** What a migration speaks on: a websocket, or a stream of bytes between members and processes. */
export interface MessageChannel {
  /** Resolves when more may be sent. @throws LxdError `unavailable` when the other side is gone */
  send(message: Uint8Array): Promise<void>;
  sendEnd(): Promise<void>;
  /** undefined when the other side sends nothing more. @throws LxdError `unavailable` when it is gone */
  receive(): Promise<Buffer | typeof endOfPart | undefined>;
  /** Nothing more is sent; what was sent still arrives. */
  close(): void;
  /** At once. */
  destroy(error?: Error): void;
}

const headBytes = 5;
const maxBytes = 16 * 1024 * 1024;
const kinds = { message: 0, end: 1 } as const;

const gone = (): LxdError => new LxdError('unavailable', 'The connection to the other side was lost');

/** Reads whole numbers of bytes; undefined at a clean end. */
function reader(stream: Duplex): (size: number) => Promise<Buffer | undefined> {
  let failed: Error | undefined;
  let ended = stream.readableEnded;
  let wake = () => undefined as void;
  stream.on('readable', () => wake());
  stream.on('end', () => {
    ended = true;
    wake();
  });
  stream.on('error', (error) => {
    failed ??= error;
    wake();
  });
  stream.on('close', () => wake());
  return async (size) => {
    for (;;) {
      if (failed) throw failed instanceof LxdError ? failed : gone();
      const data = size === 0 ? Buffer.alloc(0) : (stream.read(size) as Buffer | null);
      if (data !== null) {
        if (data.length === size) return data;
        throw gone(); // the end, in the middle of a message
      }
      if (ended) return undefined;
      if (stream.destroyed) throw gone();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/** Messages over bytes: a kind, a length, what it says. Both ends must be this. */
export function messageChannel(stream: Duplex): MessageChannel {
  const read = reader(stream);
  const write = (kind: number, message: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stream.destroyed || stream.writableEnded) {
        reject(gone());
        return;
      }
      const head = Buffer.allocUnsafe(headBytes);
      head.writeUInt8(kind, 0);
      head.writeUInt32BE(message.length, 1);
      // A stream that is destroyed never answers for the write that was under way.
      const onClose = () => reject(gone());
      stream.once('close', onClose);
      const done = (error?: Error | null) => {
        stream.off('close', onClose);
        if (error) reject(gone());
        else resolve();
      };
      stream.cork();
      stream.write(head);
      if (message.length > 0) stream.write(message, done);
      else stream.write(Buffer.alloc(0), done);
      stream.uncork();
    });
  return {
    send: (message) => write(kinds.message, message),
    sendEnd: () => write(kinds.end, Buffer.alloc(0)),
    receive: async () => {
      const head = await read(headBytes);
      if (!head) return undefined;
      const length = head.readUInt32BE(1);
      if (length > maxBytes) throw new LxdError('too-large', `A message of ${length} bytes is too long`);
      const message = await read(length);
      if (!message) throw gone();
      return head.readUInt8(0) === kinds.end ? endOfPart : message;
    },
    close: () => void stream.end(),
    destroy: (error) => void stream.destroy(error),
  };
}
