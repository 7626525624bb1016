import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectivityState, credentials } from '@grpc/grpc-js';
import { LxdError } from '@lxd-ts/core';
import { AgentHubClient } from './agent-hub.gen.ts';
import { hubName } from './agent-hub.ts';
import type { Agent } from './agent.ts';
import { byteStream, type ChunkStream } from './channel.ts';
import type { Identity } from './pki.ts';
import { AgentConnection } from './serve-agent.ts';

const minDelayMs = 100;
const maxDelayMs = 1_000;
/** For the answer of one that is far away; one that refuses is not waited for. */
const patienceMs = 5_000;
/** Of one stream from the hub that nobody has read yet. */
const windowBytes = 1024 * 1024;

/** A gRPC client of a control-plane member; it must show a certificate of the cluster's authority. */
function hubClient(address: string, identity: Identity): AgentHubClient {
  return new AgentHubClient(
    address,
    credentials.createSsl(
      Buffer.from(identity.authority),
      Buffer.from(identity.key),
      Buffer.from(identity.certificate),
    ),
    {
      'grpc.ssl_target_name_override': hubName,
      'grpc.keepalive_time_ms': 5_000,
      'grpc.keepalive_timeout_ms': 3_000,
      'grpc.max_receive_message_length': -1,
      // The 64 KiB of HTTP/2 are too few for files: a stream would wait for its window most of the time.
      'grpc-node.flow_control_window': windowBytes,
      'grpc.initial_reconnect_backoff_ms': minDelayMs,
      'grpc.max_reconnect_backoff_ms': maxDelayMs,
      // Several links to one address must not share what one of them closes.
      'grpc.use_local_subchannel_pool': 1,
    },
  );
}

/** `waitForReady` says nothing of a failure before its deadline, and does not try again either. */
async function untilReady(client: AgentHubClient, deadline: number): Promise<void> {
  const channel = client.getChannel();
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN)
      throw new LxdError('unavailable', 'it cannot be connected to');
    await new Promise<void>((resolve, reject) => {
      channel.watchConnectivityState(state, deadline, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** One control-plane member: served until told to end, and dialled again whenever the connection is lost. */
class Link {
  readonly address: string;
  readonly over: Promise<void>;
  readonly #controller = new AbortController();
  #client: AgentHubClient | undefined;

  constructor(agent: Agent, address: string, identity: Identity, onState: HubConnectionsOptions['onState']) {
    this.address = address;
    this.over = this.#run(agent, identity, onState);
  }

  /** While it is connected. */
  get client(): AgentHubClient | undefined {
    return this.#client;
  }

  end(): void {
    this.#controller.abort(new LxdError('unavailable', 'The connection was ended'));
  }

  async #run(agent: Agent, identity: Identity, onState: HubConnectionsOptions['onState']): Promise<void> {
    const { signal } = this.#controller;
    let delayMs = minDelayMs;
    while (!signal.aborted) {
      const client = hubClient(this.address, identity);
      const began = Date.now();
      try {
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => client.close(), { once: true });
          untilReady(client, Date.now() + patienceMs).then(resolve, reject);
        });
        this.#client = client;
        onState(this.address, true, '');
        await new AgentConnection(agent, client).serve(signal);
        onState(this.address, false, 'the control plane ended the connection');
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have ended while we served
        if (!signal.aborted)
          onState(this.address, false, error instanceof Error ? error.message : String(error));
      } finally {
        this.#client = undefined;
        client.close();
      }
      delayMs = Date.now() - began > 10_000 ? minDelayMs : Math.min(delayMs * 2, maxDelayMs);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface HubConnectionsOptions {
  /** `why` is empty when it is connected. */
  onState(address: string, connected: boolean, why: string): void;
}

/** An agent's connections to all members of its control plane. */
export interface HubConnections extends AsyncDisposable {
  /** From now on these, `HOST:PORT`; connections to others end. */
  dial(addresses: readonly string[]): void;
  /** Those that are connected. */
  connected(): string[];
  /**
   * A connection to the REST API of a control-plane member, in this member's name.
   * @param address of the one that is meant; default any
   * @throws LxdError `unavailable` when none is connected
   */
  forward(address?: string): Duplex;
}

/** @param identity of this member, by the cluster's authority */
export function openHubConnections(
  agent: Agent,
  identity: Identity,
  { onState }: HubConnectionsOptions,
): HubConnections {
  const links = new Map<string, Link>();
  const ending = new Set<Promise<void>>();
  const end = (link: Link): void => {
    links.delete(link.address);
    link.end();
    ending.add(link.over);
    void link.over.finally(() => ending.delete(link.over));
  };
  return {
    dial: (addresses) => {
      for (const link of [...links.values()]) if (!addresses.includes(link.address)) end(link);
      for (const address of addresses) {
        if (!links.has(address)) links.set(address, new Link(agent, address, identity, onState));
      }
    },
    connected: () => [...links.values()].filter(({ client }) => client).map(({ address }) => address),
    forward: (wanted) => {
      for (const { client, address } of links.values()) {
        if (client && (wanted === undefined || address === wanted))
          return byteStream(client.forward() as unknown as ChunkStream);
      }
      throw new LxdError('unavailable', 'No member of the control plane can be reached');
    },
    [Symbol.asyncDispose]: async () => {
      for (const link of [...links.values()]) end(link);
      await Promise.all(ending);
    },
  };
}
