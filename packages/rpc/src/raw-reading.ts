import type { Duplex } from 'node:stream';

/** Who gets what comes; the buffer is used again. false: no more for now. */
type RawReader = (data: Buffer) => boolean;

/** A stream that is read into one buffer, used again each time: a socket's `onread`. What comes before its reader is kept. */
export interface RawReading {
  onread: { buffer: Buffer; callback: (count: number, buffer: Uint8Array) => boolean };
  /** The first byte that comes, taken away. */
  first(): Promise<string>;
  readBy(reader: RawReader): void;
}

const readings = new WeakMap<Duplex, RawReading>();

const bufferBytes = 64 * 1024;

export function rawReading(): RawReading {
  let reader: RawReader | undefined;
  let early: Buffer[] = [];
  const keep = (data: Buffer): boolean => {
    early.push(Buffer.from(data));
    return false;
  };
  return {
    onread: {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback: (count, buffer) => (reader ?? keep)(Buffer.from(buffer.buffer, buffer.byteOffset, count)),
    },
    first: () =>
      new Promise((resolve) => {
        reader = (data) => {
          reader = undefined;
          if (data.length > 1) keep(data.subarray(1));
          resolve(data.toString('latin1', 0, 1));
          return false;
        };
      }),
    readBy(next) {
      reader = next;
      const kept = early;
      early = [];
      for (const data of kept) next(data);
    },
  };
}

export const readRaw = (stream: Duplex, reading: RawReading): void => void readings.set(stream, reading);

/** How a stream is to be read; undefined: as any other. */
export const rawReadingOf = (stream: Duplex): RawReading | undefined => readings.get(stream);
