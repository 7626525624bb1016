import { unixEndpoint, type Endpoint } from '@lxd-ts/client';
import type { Io } from '../base/io.ts';
import type { ClientConfig } from './client-config.ts';
import type { Remote } from './remote.ts';

/** Where the daemon keeps its socket. */
export const daemonDir = (env: Io['env']): string => env['LXD_TS_DIR'] || env['LXD_DIR'] || '/var/lib/lxd-ts';

const daemonSocket = (env: Io['env']): string => env['LXD_SOCKET'] || `${daemonDir(env)}/unix.socket`;

/** How to reach the daemon of this machine. */
export const localEndpoint = (env: Io['env']): Endpoint => unixEndpoint(daemonSocket(env));

/** How to reach a remote, and as whom. */
export function endpointOf(config: ClientConfig, name: string, remote: Remote, env: Io['env']): Endpoint {
  if (remote.addr.startsWith('unix:')) {
    const path = remote.addr.slice('unix://'.length);
    return path === '' ? localEndpoint(env) : unixEndpoint(path);
  }
  const own = remote.public ? undefined : config.clientCertificate();
  return {
    kind: 'https',
    url: remote.addr,
    tls: { pinned: config.serverCertificate(name), authority: config.authority(), ...own },
  };
}
