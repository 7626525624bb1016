import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Peer, Peers } from '../../cluster/peers.ts';
import type { EventHub } from './hub.ts';

/** How often it is looked whether there is a peer that we do not listen to yet. */
const lookMs = 1_000;

/** What happens on one server of the control plane is heard on all: each listens to every other. */
export function joinEvents(hub: EventHub, peers: Peers): Disposable {
  const ended = new AbortController();
  const listening = new Map<string, WebSocket>();

  const listen = ({ name, connect }: Peer): void => {
    const socket = new WebSocket(`ws://${encodeURIComponent(name)}/internal/events`, {
      createConnection: () => connect() as never,
    });
    listening.set(name, socket);
    socket.on('message', (data: Buffer) => hub.relay(data.toString()));
    socket.on('error', () => undefined); // followed by close
    socket.once('close', () => listening.delete(name));
  };

  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      for (const peer of peers.reachable()) if (!listening.has(peer.name)) listen(peer);
      await sleep(lookMs, undefined, { signal: ended.signal, ref: false }).catch(() => undefined);
    }
  };
  void run();
  return {
    [Symbol.dispose]: () => {
      ended.abort();
      for (const socket of listening.values()) socket.terminate();
    },
  };
}
