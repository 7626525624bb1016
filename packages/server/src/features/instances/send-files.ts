import type { CallOptions, MigratedSnapshot } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { describeForPeers } from '../migration/index-header.ts';
import { instanceSpec } from './spec.ts';

export type Wait = Pick<CallOptions, 'signal' | 'onProgress'>;

export interface Files {
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
  { snapshots, present, running }: Files,
  { signal, onProgress }: Wait,
): Promise<void> {
  const source = services.agents.get(from.member);
  const sink = services.agents.get(to.member);
  const failed = new AbortController();
  const options = { signal: AbortSignal.any([signal, failed.signal]), ...(onProgress ? { onProgress } : {}) };
  const base = to.record.config['volatile.base_image'];
  const streams = { kind: 'direct' as const, tickets: await sink.offerMigration({ signal }) };
  const receive = { confirm: true, ...(base ? { baseImage: base } : {}), ...(present ? { present } : {}) };
  const index = describeForPeers(services, from.record, snapshots);
  const ends = [
    sink.receiveInstance(instanceSpec(services, to.record, to.member), receive, streams, options),
    source.sendInstance(
      instanceSpec(services, from.record, from.member),
      { snapshots, running, index },
      streams,
      options,
    ),
  ].map((end) =>
    end.catch((error: unknown) => {
      // The other one would wait for it; the first cause is the one to tell.
      failed.abort(error);
      throw failed.signal.reason;
    }),
  );
  const results = await Promise.allSettled(ends);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
