import { join } from 'node:path';
import { ownClient, run, stockClient } from './client.ts';
import type { Life } from './client-life.ts';
import { lxdTs, startDaemon } from './daemon.ts';
import { startReference } from './reference.ts';
import type { TestServer } from './server.ts';

const stock: Pick<Life, 'client' | 'spawn'> = {
  client: stockClient,
  spawn: (dir, home, args) => ({
    argv: ['lxc', ...args],
    environment: { LXD_DIR: dir, LXD_CONF: join(home, 'lxc'), HOME: home },
  }),
};

/** Inside, as a free name for the bridge is looked for where the program runs. */
async function init(
  { pid }: TestServer,
  argv: readonly string[],
  environment: Record<string, string>,
): Promise<void> {
  const there = ['nsenter', '-t', String(pid), '-n', '-m', '--', ...argv];
  const { code, stdout, stderr } = await run(there, { environment });
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${code}\n${stdout}${stderr}`);
}

const initOwn = (server: TestServer): Promise<void> =>
  init(server, [lxdTs, 'admin', 'init', '--auto', '--storage-backend', 'btrfs'], { LXD_TS_DIR: server.dir });

export const stockClientLife: Life = {
  ...stock,
  title: 'the stock client with lxd-tsd',
  start: startDaemon,
  init: initOwn,
};

export const ownClientLife: Life = {
  title: 'lxd-ts with lxd-tsd',
  endsWithWork: true,
  start: startDaemon,
  init: initOwn,
  client: (dir, home) => ownClient(lxdTs, dir, home),
  spawn: (dir, home, args) => ({ argv: [lxdTs, ...args], environment: { LXD_TS_DIR: dir, HOME: home } }),
};

export const referenceLife: Life = {
  ...stock,
  title: 'the stock client with real LXD',
  start: startReference,
  init: (server) =>
    init(server, ['lxd', 'init', '--auto', '--storage-backend', 'btrfs'], { LXD_DIR: server.dir }),
};
