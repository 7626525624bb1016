import { LxdError } from '@lxd-ts/core';
import { empty, type Route } from '../../http/route.ts';

export interface InternalOptions {
  /** False until everything is up. */
  ready(): boolean;
  /** Stops all instances, then the daemon. Resolves once they have stopped: the daemon ends right after. */
  shutdown(force: boolean): Promise<void>;
  /** Stops all instances of another member, which asks for it because it goes down. */
  stopMember(member: string): Promise<void>;
}

/** What `admin waitready` and `admin shutdown` use, as LXD's do. */
export const internalRoutes = ({ ready, shutdown, stopMember }: InternalOptions): Route[] => [
  {
    operationId: 'internalReadyGet',
    handle: async () => {
      if (!ready()) throw new LxdError('unavailable', 'Daemon not ready yet');
      return Promise.resolve(empty);
    },
  },
  {
    operationId: 'internalShutdownPut',
    handle: async ({ query }) => {
      const member = query.get('member');
      if (member === null) await shutdown(query.get('force') === 'true');
      else await stopMember(member);
      return empty;
    },
  },
];
