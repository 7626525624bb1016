import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { startServer, type TestServer } from './server.ts';

export const lxdTsd = resolve('packages/daemon/dist/lxd-tsd');
export const lxdTs = resolve('packages/cli/dist/lxd-ts');

/** lxd-tsd in namespaces of its own. */
export function startDaemon(dir: string, options: readonly string[] = []): Promise<TestServer> {
  const tag = createHash('sha256').update(dir).digest('hex').slice(0, 8);
  return startServer({
    dir,
    argv: [lxdTsd, '--dir', dir, '--group', 'root', '--debug', ...options],
    cgroups: new RegExp(tag),
  });
}
