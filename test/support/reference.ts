import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { startServer, type TestServer } from './server.ts';

/** Why real LXD cannot be asked on this machine; undefined where it can. */
export function referenceMissing(): string | undefined {
  if (['/usr/bin/lxd', '/usr/sbin/lxd'].some(existsSync)) return undefined;
  return 'real LXD is not installed (apt-get install lxd lxd-client)';
}

/** Why the stock client cannot be used on this machine; undefined where it can. */
export function stockClientMissing(): string | undefined {
  return existsSync('/usr/bin/lxc')
    ? undefined
    : 'the stock client is not installed (apt-get install lxd-client)';
}

/** Real LXD as Debian ships it. */
export function startReference(dir: string): Promise<TestServer> {
  return startServer({ dir, argv: ['lxd', '--group', 'root'], environment: { LXD_DIR: dir } });
}

export const referenceVersion = (): string => execFileSync('lxd', ['--version'], { encoding: 'utf8' }).trim();
