import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** What a failure left unread: clients send all before they listen. */
export async function drain(body: Readable, signal: AbortSignal): Promise<void> {
  body.unpipe();
  body.resume();
  if (!body.readableEnded && !body.destroyed)
    await finished(body, { signal, writable: false }).catch(() => undefined);
}
