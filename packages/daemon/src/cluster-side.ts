import { toLxdError } from '@lxd-ts/core';
import {
  hubName,
  issue,
  startAgentHub,
  type Authority,
  type HubConnections,
  type MemberPort,
} from '@lxd-ts/rpc';
import type { ApiServer, Logger } from '@lxd-ts/server';
import type { Records } from '@lxd-ts/state';
import type { RestListener } from './rest-listener.ts';

const hubDays = 3650;

export interface ClusterSideOptions {
  api: ApiServer;
  records: Records;
  /** Of this member. */
  name: string;
  port: MemberPort;
  authority: Authority;
  rest: RestListener;
  /** To the other members of the control plane. */
  connections: HubConnections;
  /** Told where the control plane's members are. */
  onControlPlane(addresses: string[]): void;
  /** A member's agent is connected, and what it has is on record. */
  onTakenIn(member: string): void;
  log: Logger;
  clock: { now(): Date };
}

/** What a member of the control plane does for the other members, as long as it lives. */
export async function openClusterSide(options: ClusterSideOptions): Promise<AsyncDisposable> {
  const { api, records, name, port, authority, connections, log, clock } = options;
  const { signal } = new AbortController();

  const addresses = (): string[] =>
    records
      .list('members')
      .filter(({ value }) => value.roles.includes('control-plane') && value.address !== '')
      .map(({ value }) => value.address);

  const tell = (member: string): void => {
    if (member === name || !api.agents.online().includes(member)) return;
    api.agents
      .get(member)
      .membership({ kind: 'control-plane', addresses: addresses() }, { signal })
      .catch((error: unknown) =>
        log.warn('a member was not told of the control plane', { member, error: toLxdError(error).message }),
      );
  };

  const hub = startAgentHub({
    identity: await issue(authority, { commonName: hubName, role: 'server' }, clock.now(), hubDays),
    mayConnect: (member, fingerprint) =>
      member !== name && records.get('members', member)?.value.certificate === fingerprint,
    heartbeatMs: () => api.agents.heartbeatMs(),
    heard: (member) => api.agents.heard(member),
    connected: (member, agent) => {
      log.info('a member connected', { member });
      // One that is no node only keeps in touch.
      if (!records.get('members', member)?.value.roles.includes('node')) return;
      void api.agents.connected(member, agent).then(() => {
        tell(member);
        options.onTakenIn(member);
      });
    },
    disconnected: (member, agent) => {
      log.warn('a member is gone', { member });
      api.agents.disconnected(member, agent);
    },
    forwarded: (member, connection) => api.acceptForwarded(member, connection),
  });
  api.agents.drop = (agent) => hub.drop(agent);
  port.route(hubName, hub.accept);
  port.route('', options.rest.accept);

  let known = '';
  const update = (): void => {
    const all = addresses();
    if (all.join() === known) return;
    known = all.join();
    connections.dial(all.filter((address) => address !== port.address));
    options.onControlPlane(all);
    for (const member of api.agents.online()) tell(member);
  };
  update();
  const watching = records.onChange('members', update);

  return {
    [Symbol.asyncDispose]: async () => {
      watching[Symbol.dispose]();
      port.route(hubName, undefined);
      port.route('', undefined);
      await hub[Symbol.asyncDispose]();
    },
  };
}
