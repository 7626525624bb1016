import { duplexPair } from 'node:stream';
import type { FilesSession } from '../liblxc.ts';

/** Repeats what it is told, as no SFTP server does: enough to see whose session is open. */
export function fakeFiles(): FilesSession {
  const [stream, other] = duplexPair();
  other.pipe(other);
  return {
    stream,
    [Symbol.asyncDispose]: () => {
      stream.destroy();
      other.destroy();
      return Promise.resolve();
    },
  };
}
