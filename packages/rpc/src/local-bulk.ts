import { randomUUID } from 'node:crypto';
import { duplexPair, type Duplex } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Bulk } from './bulk.ts';

/** The same within one process, for a member that is in no cluster. */
export function localBulk(): Bulk {
  const offers = new Map<string, (stream: Duplex) => void>();
  return {
    offer({ signal }) {
      const token = randomUUID();
      const taken = Promise.withResolvers<Duplex>();
      taken.promise.catch(() => undefined);
      const onAbort = () => {
        offers.delete(token);
        taken.reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      offers.set(token, taken.resolve);
      return { ticket: { address: '', token }, taken: taken.promise };
    },
    take({ token }, { signal }) {
      const hand = offers.get(token);
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      if (!hand)
        return Promise.reject(
          new LxdError('forbidden', 'The transfer is not known: it is over, or was taken'),
        );
      offers.delete(token);
      const [one, other] = duplexPair();
      hand(one);
      return Promise.resolve(other);
    },
  };
}
