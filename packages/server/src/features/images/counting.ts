import { Transform } from 'node:stream';

const progressMs = 500;

/** LXD's progress of a download: percent and rate. @param size 0: it is not known */
export function counting(size: number, tell: (text: string) => void): Transform {
  const began = performance.now();
  let told = began;
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const now = performance.now();
      if (now - told > progressMs) {
        told = now;
        const rate = bytes / 1e6 / ((now - began) / 1e3);
        tell(
          `${size > 0 ? `${Math.floor((bytes / size) * 100)}%` : `${(bytes / 1e6).toFixed(2)}MB`} (${rate.toFixed(2)}MB/s)`,
        );
      }
      done(null, chunk);
    },
  });
}
