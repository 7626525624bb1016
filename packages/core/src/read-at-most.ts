import type { Readable } from 'node:stream';
import { LxdError } from './errors.ts';

/**
 * All that somebody sends whom we do not know: never more than what is sensible, and it is closed afterwards.
 * @param what for messages
 * @throws LxdError `invalid` when it is more than `most` bytes, `unavailable` when it breaks off
 */
export async function readAtMost(stream: Readable, most: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw new LxdError('invalid', `${what} is larger than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof LxdError) throw error;
    throw new LxdError('unavailable', `${what} broke off: ${(error as Error).message}`, { cause: error });
  } finally {
    stream.destroy();
  }
  return Buffer.concat(chunks);
}
