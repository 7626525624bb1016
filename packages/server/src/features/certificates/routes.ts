import { sync, type Route } from '../../http/route.ts';

/** Nobody is trusted over the network yet: there is only the unix socket. */
export const certificatesRoutes = (): Route[] => [
  { operationId: 'certificatesGet', handle: () => Promise.resolve(sync([])) },
];
