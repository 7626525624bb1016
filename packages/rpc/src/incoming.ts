import type { Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { aheadBytes } from './pour.ts';
import { rawReadingOf } from './raw-reading.ts';

export const connectionLost = (): LxdError =>
  new LxdError('unavailable', 'The connection to the other side was lost');

const slabBytes = 256 * 1024;

/** A piece of memory that is used again when nobody reads in it any more. */
interface Slab {
  buffer: Buffer;
  /** Up to here bytes have come. */
  filled: number;
  taken: number;
  /** Pieces of it that somebody holds. */
  held: number;
}

/** What comes on a stream, until it is taken. Without garbage where the stream is read raw. */
export class Incoming {
  readonly #stream: Duplex;
  readonly #slabs: Slab[] = [];
  readonly #free: Buffer[] = [];
  readonly #holders = new Map<ArrayBufferLike, Slab>();
  #length = 0;
  #paused = false;
  #failed: Error | undefined;
  #ended: boolean;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#ended = stream.readableEnded;
    const raw = rawReadingOf(stream);
    if (raw)
      raw.readBy((data) => {
        this.#copy(data);
        return this.#came(data.length);
      });
    else
      stream.on('data', (chunk: Buffer) => {
        this.#slabs.push({ buffer: chunk, filled: chunk.length, taken: 0, held: 0 });
        if (!this.#came(chunk.length)) stream.pause();
      });
    stream
      .on('end', () => {
        this.#ended = true;
        this.#wake?.();
      })
      .on('error', (error) => {
        this.#failed ??= error;
        this.#wake?.();
      })
      .on('close', () => this.#wake?.());
    stream.resume();
  }

  get length(): number {
    return this.#length;
  }

  /** Whether more may come. */
  #came(count: number): boolean {
    this.#length += count;
    this.#paused = this.#length >= aheadBytes;
    this.#wake?.();
    return !this.#paused;
  }

  #copy(data: Buffer): void {
    for (let done = 0; done < data.length;) {
      let slab = this.#slabs.at(-1);
      if (!slab || slab.filled === slab.buffer.length) {
        const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
        slab = { buffer, filled: 0, taken: 0, held: 0 };
        this.#holders.set(buffer.buffer, slab);
        this.#slabs.push(slab);
      }
      const count = data.copy(slab.buffer, slab.filled, done);
      slab.filled += count;
      done += count;
    }
  }

  /** At most `size` bytes of what is there, as one piece without a copy; undefined when nothing is. To be released. */
  take(size: number): Buffer | undefined {
    const slab = this.#slabs[0];
    if (!slab || slab.taken === slab.filled) return undefined;
    const end = Math.min(slab.filled, slab.taken + size);
    const piece = slab.buffer.subarray(slab.taken, end);
    slab.taken = end;
    slab.held++;
    if (end === slab.buffer.length) this.#slabs.shift();
    this.#length -= piece.length;
    if (this.#paused && this.#length < aheadBytes / 2) {
      this.#paused = false;
      this.#stream.resume();
    }
    return piece;
  }

  /** Nobody reads in it any more. */
  release({ buffer }: Buffer): void {
    const slab = this.#holders.get(buffer);
    if (!slab || --slab.held > 0 || slab.taken < slab.buffer.length) return;
    this.#holders.delete(buffer);
    this.#free.push(slab.buffer);
  }

  /** Until something is there. false when nothing more comes. @throws LxdError `unavailable` */
  async more(): Promise<boolean> {
    const had = this.#length;
    while (this.#length <= had) {
      const failed = this.#failed;
      if (failed) throw failed instanceof LxdError ? failed : connectionLost();
      if (this.#ended) return false;
      if (this.#stream.destroyed) throw connectionLost();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return true;
  }

  /** Its own copy. Undefined at a clean end. @throws LxdError `unavailable` when it ends in the middle */
  async exactly(size: number): Promise<Buffer | undefined> {
    while (this.#length < size) {
      if (await this.more()) continue;
      if (this.#length > 0) throw connectionLost();
      return undefined;
    }
    const whole = Buffer.allocUnsafe(size);
    for (let done = 0; done < size;) {
      const piece = this.take(size - done);
      if (!piece) throw connectionLost();
      done += piece.copy(whole, done);
      this.release(piece);
    }
    return whole;
  }
}
