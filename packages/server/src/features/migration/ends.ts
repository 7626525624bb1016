import type { Services } from '../../services.ts';
import { Sockets } from '../instances/sockets.ts';
import { checkRemote, dial, type RemoteOperation } from './dial.ts';
import { RelayedMigration } from './relay.ts';

const names = ['control', 'fs'] as const;
/** Between our answer and the other server's coming is what the client has to do there. */
const comeTimeoutMs = 60_000;

/** This server's end of a migration: it waits for the other, or goes to it. */
export interface MigrationEnd {
  /** What its operation has to be. */
  operation: {
    class: 'task' | 'websocket';
    metadata?: Record<string, unknown>;
    sockets?: Record<string, (socket: unknown) => void>;
    mayCancel: true;
  };
  open(signal: AbortSignal): Promise<RelayedMigration>;
  /** Nobody needs come any more. */
  close(): void;
}

/** The client is told secrets, and somebody comes with them. */
export function waitingEnd(services: Services): MigrationEnd {
  const sockets = new Sockets(services, names);
  return {
    operation: { class: 'websocket', metadata: sockets.fds, sockets: sockets.handlers, mayCancel: true },
    open: async (signal) => {
      const [control, filesystem] = await Promise.all(
        names.map((name) => sockets.get(name, signal, comeTimeoutMs)),
      );
      if (!control || !filesystem) throw new Error('no sockets');
      return new RelayedMigration(control, filesystem);
    },
    close: () => sockets.close(),
  };
}

/** The source's end: it goes to the target that is named, or waits for it. @throws LxdError `invalid` */
export const sourceEnd = (
  services: Services,
  target:
    | {
        operation?: string | undefined;
        secrets?: Readonly<Record<string, string>> | null | undefined;
        certificate?: string | undefined;
      }
    | null
    | undefined,
): MigrationEnd =>
  target
    ? dialingEnd({
        operation: target.operation ?? '',
        secrets: target.secrets ?? {},
        certificate: target.certificate,
      })
    : waitingEnd(services);

/** We go to an operation of another server. @throws LxdError `invalid` */
export function dialingEnd(remote: RemoteOperation): MigrationEnd {
  checkRemote(remote, names);
  return {
    operation: { class: 'task', mayCancel: true },
    open: async (signal) => {
      const control = await dial(remote, 'control', signal);
      try {
        return new RelayedMigration(control, await dial(remote, 'fs', signal));
      } catch (error) {
        control.terminate();
        throw error;
      }
    },
    close: () => undefined,
  };
}
