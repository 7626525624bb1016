import type { Duplex } from 'node:stream';
import { toLxdError } from '@lxd-ts/core';

/** A connection that somebody else is to make, unless it is given up before; one that comes later is closed. */
export function unlessGivenUp(coming: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(toLxdError(signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    coming.then(
      (stream) => {
        signal.removeEventListener('abort', onAbort);
        if (signal.aborted) stream.destroy();
        else resolve(stream);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(toLxdError(error));
      },
    );
  });
}
