import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** How much may wait in front of whoever is slower. */
export const aheadBytes = 1024 * 1024;

export interface PourOptions {
  onBytes: (count: number) => void;
  /** Waited for after each piece; absent: as fast as it goes. */
  pace?: ((count: number) => Promise<void>) | undefined;
}

/**
 * Everything of a source to `write`, without a promise per piece: it returns one only when it wants to be waited for.
 * @throws whatever `write` or the source fails with
 */
export function pourFrom(
  source: Readable,
  write: (data: Buffer) => Promise<void> | undefined,
  { onBytes, pace }: PourOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let waiting = false;
    let ended = false;
    const over = (error?: Error) => {
      source.off('data', onData).off('end', onEnd).off('error', over).off('close', onClose);
      if (!error) {
        resolve();
        return;
      }
      // With nobody to take it, it would go on and be lost.
      source.pause();
      reject(error);
    };
    const onEnd = () => {
      ended = true;
      if (!waiting) over();
    };
    const onClose = () => {
      if (!ended) over(new Error('the stream was closed'));
    };
    const after = async (ready: Promise<void> | undefined, count: number): Promise<void> => {
      await ready;
      await pace?.(count);
      waiting = false;
      if (ended) over();
      else source.resume();
    };
    const onData = (data: Buffer) => {
      onBytes(data.length);
      try {
        const ready = write(data);
        if (!ready && !pace) return;
        waiting = true;
        source.pause();
        after(ready, data.length).catch(over);
      } catch (error) {
        over(error as Error);
      }
    };
    if (source.readableEnded) resolve();
    else source.on('data', onData).on('end', onEnd).on('error', over).on('close', onClose);
  });
}

/** Resolves when it takes more, and also when it never will. */
const drained = (sink: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      sink.off('drain', go).off('close', go).off('error', go);
      resolve();
    };
    sink.on('drain', go).on('close', go).on('error', go);
  });

/** Pieces for a stream that is written to in few large steps; what it no longer wants is passed over. */
export class Spout {
  readonly #sink: Writable;
  #corked = false;

  constructor(sink: Writable) {
    this.#sink = sink;
  }

  /** A promise when it wants to be waited for. @param done when `data` is not read any more */
  write(data: Buffer, done: () => void): Promise<void> | undefined {
    const sink = this.#sink;
    if (!sink.writable) {
      done();
      return undefined;
    }
    if (!this.#corked) sink.cork();
    this.#corked = true;
    sink.write(data, done);
    if (sink.writableLength < aheadBytes) return undefined;
    this.flush();
    return sink.writableLength > 0 ? drained(sink) : undefined;
  }

  /** What it has been given leaves; a stream that stays corked would keep it. */
  flush(): void {
    if (this.#corked) this.#sink.uncork();
    this.#corked = false;
  }
}

const pieceBytes = 64 * 1024;

/**
 * Everything of a pipe to `write`, without garbage; the pipe is closed then.
 * @param headBytes room in front of each piece for whoever writes it
 * @param write gets a piece with its room, and calls `done` when it does not read it any more
 */
export function pourPipe(
  pipe: number,
  headBytes: number,
  write: (piece: Buffer, done: () => void) => Promise<void> | undefined,
  { onBytes, pace }: PourOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const free: Buffer[] = [];
    let slab: Buffer = Buffer.alloc(0);
    let waiting = false;
    let ended = false;
    const over = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const after = async (ready: Promise<void> | undefined, count: number): Promise<void> => {
      await ready;
      await pace?.(count);
      waiting = false;
      if (ended) over();
      else socket.resume();
    };
    const socket = new Socket({
      fd: pipe,
      readable: true,
      writable: false,
      onread: {
        buffer: () => {
          slab = free.pop() ?? Buffer.allocUnsafeSlow(headBytes + pieceBytes);
          return slab.subarray(headBytes);
        },
        callback: (count) => {
          const full = slab;
          onBytes(count);
          try {
            const ready = write(full.subarray(0, headBytes + count), () => free.push(full));
            if (!ready && !pace) return true;
            waiting = true;
            after(ready, count).catch(over);
          } catch (error) {
            over(error as Error);
          }
          return false;
        },
      },
    });
    socket.on('error', over).on('end', () => {
      ended = true;
      if (!waiting) over();
    });
    socket.resume();
  });
}
