import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { normalise } from './normalise.ts';

interface LifecycleEvent {
  metadata: { action: string; source: string };
}

export interface Lifecycle {
  /** Every action and what it was done to; how often is left out, as LXD tells some changes that it refuses. */
  end(): Promise<Record<string, true>>;
}

/** Listens to what a server says has happened. */
export async function listen(dir: string): Promise<Lifecycle> {
  const told: Record<string, true> = {};
  const socket = new WebSocket(`ws+unix://${dir}/unix.socket:/1.0/events?type=lifecycle`);
  socket.on('message', (data: Buffer) => {
    const { metadata } = JSON.parse(data.toString()) as LifecycleEvent;
    const line = String(normalise(`${metadata.action} ${metadata.source}`, { dir }));
    told[line] = true;
  });
  await once(socket, 'open');
  return {
    end: async () => {
      // The last ones may still be on their way.
      await sleep(500);
      socket.terminate();
      return told;
    },
  };
}
