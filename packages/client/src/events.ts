import type { Client } from './client.ts';
import type { ServerEvent } from './types.ts';
import { openWebSocket } from './websocket.ts';

export interface EventOptions {
  /** Event types wanted; none means all. */
  types?: readonly string[];
  allProjects?: boolean;
  signal?: AbortSignal | undefined;
  /** Called when the server listens to us: what happens after this is not missed. */
  onOpen?: () => void;
}

/** The server's events until the signal aborts or the server closes the stream. */
export async function* events(client: Client, options: EventOptions = {}): AsyncGenerator<ServerEvent, void> {
  const query = new URLSearchParams();
  if (options.types?.length) query.set('type', options.types.join(','));
  if (options.allProjects) query.set('all-projects', 'true');
  const search = query.size > 0 ? `?${query.toString()}` : '';
  const socket = await openWebSocket(client, `/1.0/events${search}`, { signal: options.signal });
  const queue: ServerEvent[] = [];
  let wake = Promise.withResolvers<undefined>();
  socket.on('message', (data: Buffer) => {
    queue.push(JSON.parse(data.toString()) as ServerEvent);
    wake.resolve(undefined);
  });
  socket.on('close', () => {
    wake.resolve(undefined);
  });
  socket.resume();
  options.onOpen?.();
  try {
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) yield event;
      if (socket.readyState === socket.CLOSED) return;
      await wake.promise;
      wake = Promise.withResolvers<undefined>();
    }
  } finally {
    socket.terminate();
  }
}
