import type { CallOptions, MigratedSnapshot, ReceivedInstance } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { describeForPeers } from '../migration/index-header.ts';
import { instanceSpec } from './spec.ts';

export type Wait = Pick<CallOptions, 'signal' | 'onProgress'>;

export interface Files {
  /** As it was in this snapshot; absent: as it is. */
  snapshot?: string;
  snapshots: MigratedSnapshot[];
  /** What the other end has already; absent: nothing. */
  present?: MigratedSnapshot[];
  /** It runs while it is sent. */
  running: boolean;
}

export interface End {
  record: InstanceRecord;
  member: string;
}

/** An instance's files and snapshots from one member to another, past the control plane; under the same name or another. */
export async function sendFiles(
  services: Services,
  from: End,
  to: End,
  { snapshot, snapshots, present, running }: Files,
  { signal, onProgress }: Wait,
): Promise<ReceivedInstance> {
  const source = services.agents.get(from.member);
  const sink = services.agents.get(to.member);
  const failed = new AbortController();
  const options = { signal: AbortSignal.any([signal, failed.signal]), ...(onProgress ? { onProgress } : {}) };
  const base = to.record.config['volatile.base_image'];
  // The sink comes for it: who connects reads at less cost.
  const streams = { kind: 'direct' as const, tickets: await source.offerMigration({ signal }) };
  const receive = { confirm: true, ...(base ? { baseImage: base } : {}), ...(present ? { present } : {}) };
  const index = describeForPeers(services, from.record, snapshots);
  const request = { ...(snapshot === undefined ? {} : { snapshot }), snapshots, running, index };
  // The other one would wait for it; the first cause is the one to tell.
  const fail = (error: unknown) => {
    failed.abort(error);
    throw failed.signal.reason;
  };
  const [received, sent] = await Promise.allSettled([
    sink.receiveInstance(instanceSpec(services, to.record, to.member), receive, streams, options).catch(fail),
    source
      .sendInstance(instanceSpec(services, from.record, from.member), request, streams, options)
      .catch(fail),
  ]);
  if (received.status === 'rejected') throw received.reason;
  if (sent.status === 'rejected') throw sent.reason;
  return received.value;
}
