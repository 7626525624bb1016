import { LxdError, toLxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { ReceivedInstance } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { InstanceSourceBody } from '../instances/requests.ts';
import { instanceSpec } from '../instances/spec.ts';
import { dialingEnd, waitingEnd, type MigrationEnd } from './ends.ts';

/** The sink's end, as the body of `POST /1.0/instances` asks for it. @throws LxdError `invalid`, `unsupported` */
export function sinkEnd(services: Services, source: InstanceSourceBody): MigrationEnd {
  switch (source.mode) {
    case 'push':
      return waitingEnd(services);
    case 'pull':
    case '':
    case undefined:
      return dialingEnd({
        operation: source.operation ?? '',
        secrets: source.secrets ?? {},
        certificate: source.certificate,
      });
    default:
      throw new LxdError('unsupported', `Mode "${source.mode}" not implemented`);
  }
}

export interface Reception {
  record: InstanceRecord;
  member: string;
  source: InstanceSourceBody;
  end: MigrationEnd;
  /** Snapshots that are there, when the instance is brought up to date. */
  present?: { name: string; createdAt: string }[];
}

/**
 * Takes what the other server sends; then `commit` puts it on record, and only then the other server hears that it is done.
 */
export async function receiveMigrated(
  services: Services,
  { record, member, source, end, present }: Reception,
  running: RunningOperation,
  commit: (received: ReceivedInstance) => Promise<void>,
): Promise<void> {
  const { signal } = running;
  const base = source['base-image'];
  const known = base ? services.records.get('images', record.project, base)?.value.fingerprint : undefined;
  try {
    await using connection = await end.open(signal);
    const received = await services.agents.get(member).receiveInstance(
      instanceSpec(services, record, member),
      {
        confirm: false,
        ...(known === undefined ? {} : { baseImage: known }),
        ...(present === undefined ? {} : { present }),
      },
      connection.streams,
      { signal, onProgress: (progress) => running.update(progress) },
    );
    try {
      await commit(received);
    } catch (error) {
      await connection.tell(false, toLxdError(error).message).catch(() => undefined);
      throw error;
    }
    // It is here, whether or not the other server still hears of it.
    await connection.tell(true, '').catch(() => undefined);
  } finally {
    end.close();
  }
}
