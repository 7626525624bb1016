import { sync, type Route } from '../../http/route.ts';

/** Nothing warns by records yet; what there is to say is in the log. */
export const warningsRoutes = (): Route[] => [
  { operationId: 'warningsGet', handle: () => Promise.resolve(sync([])) },
];
