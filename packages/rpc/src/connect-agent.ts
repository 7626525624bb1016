import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { AgentHubClient } from './agent-hub.gen.ts';
import { hubName } from './agent-hub.ts';
import type { Agent } from './agent.ts';
import type { Identity } from './pki.ts';
import { AgentConnection } from './serve-agent.ts';

const maxDelayMs = 5_000;

/** A gRPC client of a control-plane member; it must show a certificate of the cluster's authority. */
export function hubClient(address: string, identity: Identity): AgentHubClient {
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
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': maxDelayMs,
    },
  );
}

/** Serves a control-plane member until aborted; connects again whenever the connection is lost. */
export async function connectAgent(
  agent: Agent,
  address: string,
  identity: Identity,
  options: { signal: AbortSignal; onState: (connected: boolean, why: string) => void },
): Promise<void> {
  const { signal, onState } = options;
  let delayMs = 100;
  while (!signal.aborted) {
    const client = hubClient(address, identity);
    const began = Date.now();
    try {
      await new Promise<void>((resolve, reject) => {
        client.waitForReady(Date.now() + 5_000, (error) => (error ? reject(error) : resolve()));
      });
      onState(true, address);
      await new AgentConnection(agent, client).serve(signal);
      onState(false, 'the control plane ended the connection');
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have ended while we served
      if (!signal.aborted) onState(false, error instanceof Error ? error.message : String(error));
    } finally {
      client.close();
    }
    delayMs = Date.now() - began > 10_000 ? 100 : Math.min(delayMs * 2, maxDelayMs);
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }
}
