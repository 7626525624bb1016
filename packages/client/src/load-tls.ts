import type * as tls from './tls.ts';

/** What only remotes need, loaded when one is used: it would cost local commands milliseconds. */
export const loadTls = (): Promise<typeof tls> => import('./tls.ts');
