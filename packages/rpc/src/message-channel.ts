import { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import { connectionLost, Incoming } from './incoming.ts';
import { aheadBytes, pourFrom, pourPipe, Spout, type PourOptions } from './pour.ts';

/** The end of a part of what is sent: on a websocket, LXD's empty text message. */
export const endOfPart = Symbol('end of part');

/** What a migration speaks on: a websocket, or a stream of bytes between members and processes. */
export interface MessageChannel {
  /** Resolves when more may be sent. @throws LxdError `unavailable` when the other side is gone */
  send(message: Uint8Array): Promise<void>;
  sendEnd(): Promise<void>;
  /** Everything of a stream, as messages. @throws LxdError `unavailable` when the other side is gone */
  sendAll(source: Readable, options: PourOptions): Promise<void>;
  /** The same of a pipe, by its file descriptor; it is closed then. */
  sendPipe(pipe: number, options: PourOptions): Promise<void>;
  /** undefined when the other side sends nothing more. @throws LxdError `unavailable` when it is gone */
  receive(): Promise<Buffer | typeof endOfPart | undefined>;
  /**
   * To a stream, up to the end of the part; what it no longer wants is passed over.
   * @throws LxdError `unavailable` when the other side is gone, or ends before
   */
  receiveAll(sink: Writable, onBytes: (count: number) => void): Promise<void>;
  /** Nothing more is sent; what was sent still arrives. */
  close(): void;
  /** At once. */
  destroy(error?: Error): void;
}

const headBytes = 5;
const maxBytes = 16 * 1024 * 1024;
const kinds = { message: 0, end: 1 } as const;
/** Below this more is waited for, so that it is written in larger steps. */
const worthwhileBytes = 256 * 1024;

export const endedEarly = (): LxdError =>
  new LxdError('unavailable', 'The other side ended in the middle of a volume');

/** Messages over bytes: a kind, a length, what it says. Both ends must be this. */
export function messageChannel(stream: Duplex): MessageChannel {
  const incoming = new Incoming(stream);
  const check = (): void => {
    if (stream.destroyed || stream.writableEnded) throw connectionLost();
  };
  const fillHead = (head: Buffer, kind: number, length: number): void => {
    head.writeUInt8(kind, 0);
    head.writeUInt32BE(length, 1);
  };
  const frame = (kind: number, message: Uint8Array, done?: (error?: Error | null) => void): void => {
    check();
    const head = Buffer.allocUnsafe(headBytes);
    fillHead(head, kind, message.length);
    stream.cork();
    stream.write(head);
    if (message.length > 0 || done) stream.write(message, done);
    stream.uncork();
  };
  /** Whoever waits hears when the stream is destroyed: it never answers for what was under way. */
  const untilClosed = (begin: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const onClose = () => reject(connectionLost());
      stream.once('close', onClose);
      const done = (error?: Error | null) => {
        stream.off('close', onClose);
        if (error) reject(connectionLost());
        else resolve();
      };
      try {
        begin(done);
      } catch (error) {
        stream.off('close', onClose);
        reject(error instanceof Error ? error : connectionLost());
      }
    });
  const write = (kind: number, message: Uint8Array): Promise<void> =>
    untilClosed((done) => frame(kind, message, done));
  const drained = (): Promise<void> | undefined =>
    stream.writableLength < aheadBytes
      ? undefined
      : untilClosed((done) => stream.once('drain', () => done()));

  const head = async (): Promise<{ end: boolean; length: number } | undefined> => {
    const bytes = await incoming.exactly(headBytes);
    if (!bytes) return undefined;
    const length = bytes.readUInt32BE(1);
    if (length > maxBytes) throw new LxdError('too-large', `A message of ${length} bytes is too long`);
    return { end: bytes.readUInt8(0) === kinds.end, length };
  };

  return {
    send: (message) => write(kinds.message, message),
    sendEnd: () => write(kinds.end, Buffer.alloc(0)),
    sendAll: (source, options) =>
      pourFrom(
        source,
        (data) => {
          frame(kinds.message, data);
          return drained();
        },
        options,
      ),
    sendPipe: (pipe, options) =>
      pourPipe(
        pipe,
        headBytes,
        (piece, done) => {
          check();
          fillHead(piece, kinds.message, piece.length - headBytes);
          // Only of a socket is what was written read no more.
          if (stream instanceof Socket) stream.write(piece, done);
          else stream.write(piece);
          return drained();
        },
        options,
      ),
    receive: async () => {
      const next = await head();
      if (!next) return undefined;
      const message = await incoming.exactly(next.length);
      if (!message) throw connectionLost();
      return next.end ? endOfPart : message;
    },
    receiveAll: async (sink, onBytes) => {
      const spout = new Spout(sink);
      try {
        for (;;) {
          // Whoever answers waits for all of it.
          if (incoming.length < headBytes) spout.flush();
          const next = await head();
          if (!next) throw endedEarly();
          if (next.end) return;
          for (let missing = next.length; missing > 0;) {
            const piece = incoming.take(missing);
            if (piece) {
              missing -= piece.length;
              onBytes(piece.length);
              const copied = sink instanceof Socket ? piece : Buffer.from(piece);
              if (copied !== piece) incoming.release(piece);
              const full = spout.write(copied, () => incoming.release(copied));
              if (full) await full;
            } else {
              spout.flush();
              if (!(await incoming.more())) throw connectionLost();
              if (incoming.length < worthwhileBytes) await turn();
            }
          }
        }
      } finally {
        spout.flush();
      }
    },
    close: () => void stream.end(),
    destroy: (error) => void stream.destroy(error),
  };
}
