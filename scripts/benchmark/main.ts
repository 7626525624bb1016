/** Compares lxd-tsd with real LXD; see scripts/bench. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxRootfs } from '../../test/support/busybox.ts';
import { startLxd, startOurs, type Server } from './servers.ts';

const rounds = Number(process.argv[2] ?? 7);
/** Of the pool that each of them uses. */
const driver = process.argv[3] ?? 'btrfs';
const driverOfLxd = process.argv[4] ?? 'btrfs';
const listSize = 100;
const name = 'bench';

type Times = Map<string, number[]>;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed(times: Times, what: string, work: () => Promise<unknown>): Promise<void> {
  const begin = performance.now();
  await work();
  times.set(what, [...(times.get(what) ?? []), performance.now() - begin]);
}

function makeImage(dir: string): Buffer {
  const given = process.argv[5];
  if (given !== undefined) return readFileSync(given);
  const image = join(dir, 'image');
  mkdirSync(image);
  makeBusyboxRootfs(join(image, 'rootfs'));
  writeFileSync(
    join(image, 'metadata.yaml'),
    'architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: busybox}\n',
  );
  execFileSync('tar', ['-czf', join(dir, 'image.tar.gz'), '-C', image, 'metadata.yaml', 'rootfs']);
  return readFileSync(join(dir, 'image.tar.gz'));
}

async function prepare({ rest }: Server, image: Buffer, pool: string): Promise<string> {
  await rest.call('POST', '/1.0/storage-pools', {
    name: 'default',
    driver: pool,
    config: pool === 'btrfs' ? { size: '5GiB' } : {},
  });
  await rest.call('POST', '/1.0/networks', {
    name: 'lxdbr0',
    config: { 'ipv4.address': '10.123.45.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
  });
  await rest.call('PUT', '/1.0/profiles/default', {
    devices: {
      root: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0' },
    },
  });
  const headers = { 'Content-Type': 'application/octet-stream' };
  const { metadata } = await rest.run('POST', '/1.0/images', image, headers);
  return String(metadata?.['fingerprint']);
}

const mebibyte = Buffer.alloc(1024 * 1024, 'x');
const large = Buffer.alloc(64 * 1024 * 1024, 'y');
const smallFiles = 50;

/** The first one opens the way into the instance. */
async function transfers({ rest }: Server, times: Times): Promise<void> {
  const path = (file: string) => `/1.0/instances/${name}/files?path=/root/${file}`;
  const push = (file: string, body: Buffer) =>
    rest.call('POST', path(file), body, { 'X-LXD-type': 'file', 'X-LXD-mode': '0644' });
  const pull = async (file: string, size: number) => {
    if ((await rest.download(path(file))) !== size) throw new Error(`${file} is cut off`);
  };
  await timed(times, 'file push+pull, 1 MiB', async () => {
    await push('one', mebibyte);
    await pull('one', mebibyte.length);
  });
  await timed(times, `file push, ${smallFiles} of 10 B`, async () => {
    for (let i = 0; i < smallFiles; i++) await push(`small-${i}`, Buffer.from('0123456789'));
  });
  await timed(times, `file pull, ${smallFiles} of 10 B`, async () => {
    for (let i = 0; i < smallFiles; i++) await pull(`small-${i}`, 10);
  });
  await timed(times, 'file push, 64 MiB', () => push('large', large));
  await timed(times, 'file pull, 64 MiB', () => pull('large', large.length));
  await rest.call('DELETE', path('large'));
}

async function round(server: Server, times: Times, fingerprint: string): Promise<void> {
  const { rest } = server;
  const source = { type: 'image', fingerprint };
  const state = (action: string) =>
    rest.run('PUT', `/1.0/instances/${name}/state`, { action, force: true, timeout: -1 });
  await timed(times, 'launch', async () => {
    await rest.run('POST', '/1.0/instances', { name, source, profiles: ['default'] });
    await state('start');
  });
  await timed(times, 'exec true', () => rest.exec(name, ['true']));
  await transfers(server, times);
  await timed(times, 'state', () => rest.call('GET', `/1.0/instances/${name}/state`));
  const snapshots = `/1.0/instances/${name}/snapshots`;
  await timed(times, 'snapshot of a running one', () => rest.run('POST', snapshots, { name: 's1' }));
  await rest.run('DELETE', `${snapshots}/s1`);
  await timed(times, 'stop -f', () => state('stop'));
  await timed(times, 'start', () => state('start'));
  await state('stop');
  await timed(times, 'copy', () =>
    rest.run('POST', '/1.0/instances', {
      name: `${name}-copy`,
      profiles: ['default'],
      source: { type: 'copy', source: name },
    }),
  );
  await timed(times, 'delete', () => rest.run('DELETE', `/1.0/instances/${name}-copy`));
  await rest.run('DELETE', `/1.0/instances/${name}`);
  await timed(times, 'create', () =>
    rest.run('POST', '/1.0/instances', { name, source, profiles: ['default'] }),
  );
  await rest.run('DELETE', `/1.0/instances/${name}`);
}

/** GETs of one instance over four connections for two seconds. */
async function requestsPerSecond({ rest }: Server): Promise<number> {
  let done = 0;
  const end = performance.now() + 2_000;
  const worker = async () => {
    for (; performance.now() < end; done += 1) await rest.call('GET', '/1.0/instances/list-0');
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return done / 2;
}

async function lists(server: Server, times: Times, fingerprint: string): Promise<void> {
  const { rest } = server;
  for (let i = 0; i < listSize; i++) {
    await rest.run('POST', '/1.0/instances', {
      name: `list-${i}`,
      profiles: ['default'],
      source: { type: 'image', fingerprint },
    });
  }
  for (let i = 0; i < 5; i++) {
    await timed(times, `list of ${listSize}, recursion 1`, () =>
      rest.call('GET', '/1.0/instances?recursion=1'),
    );
    await timed(times, `list of ${listSize}, recursion 2`, () =>
      rest.call('GET', '/1.0/instances?recursion=2'),
    );
  }
}

async function clean({ rest }: Server): Promise<void> {
  const urls = (await rest.call('GET', '/1.0/instances')) as string[];
  for (const url of urls) {
    await rest
      .run('PUT', `${url}/state`, { action: 'stop', force: true, timeout: -1 })
      .catch(() => undefined);
    await rest.run('DELETE', url);
  }
  for (const url of (await rest.call('GET', '/1.0/images')) as string[]) await rest.run('DELETE', url);
  await rest.call('PUT', '/1.0/profiles/default', { devices: {} });
  await rest.call('DELETE', '/1.0/networks/lxdbr0');
  await rest.call('DELETE', '/1.0/storage-pools/default');
}

interface Row {
  what: string;
  unit: string;
  ours: number;
  lxd: number;
}

function print(rows: readonly Row[]): void {
  console.log(
    `${'what'.padEnd(28)}${'lxd-ts'.padStart(12)}${'LXD'.padStart(12)}${'times better'.padStart(15)}`,
  );
  for (const { what, unit, ours, lxd } of rows) {
    const better = unit === '1/s' ? ours / lxd : lxd / ours;
    const ratio = ours > 0 && lxd > 0 ? better.toFixed(2) : '-';
    const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
    console.log(
      `${`${what} (${unit})`.padEnd(28)}${figure(ours).padStart(12)}${figure(lxd).padStart(12)}${ratio.padStart(15)}`,
    );
  }
}

const dir = mkdtempSync('/tmp/lxd-ts-bench-');
execFileSync('chmod', ['711', dir]);
const servers: Server[] = [];
try {
  const image = makeImage(dir);
  servers.push(await startOurs(join(dir, 'ours')), await startLxd(join(dir, 'lxd')));
  const measured: { server: Server; times: Times; fingerprint: string }[] = [];
  for (const [at, server] of servers.entries()) {
    const fingerprint = await prepare(server, image, at === 0 ? driver : driverOfLxd);
    measured.push({ server, times: new Map(), fingerprint });
  }
  for (const { server, fingerprint } of measured) await round(server, new Map(), fingerprint); // the first unpacks the image
  for (let i = 0; i < rounds; i++) {
    for (const { server, times, fingerprint } of measured) await round(server, times, fingerprint);
  }
  for (const { server, times, fingerprint } of measured) await lists(server, times, fingerprint);
  const rates: number[] = [];
  for (const { server } of measured) rates.push(await requestsPerSecond(server));
  for (const { server } of measured)
    await server.rest.run('PUT', '/1.0/instances/list-0/state', { action: 'start', timeout: -1 });
  const [ours, lxd] = measured;
  if (!ours || !lxd) throw new Error('two servers are compared');
  const [memory, lxdMemory] = [ours.server.memory(), lxd.server.memory()];
  const rows: Row[] = [
    ...[...ours.times].map(([what, values]) => ({
      what,
      unit: 'ms',
      ours: median(values),
      lxd: median(lxd.times.get(what) ?? []),
    })),
    { what: 'GET of one instance', unit: '1/s', ours: rates[0] ?? 0, lxd: rates[1] ?? 0 },
    ...Object.entries(memory).map(([what, bytes]) => ({
      what: `memory: ${what}`,
      unit: 'MB',
      ours: bytes / 1e6,
      lxd: (lxdMemory[what] ?? 0) / 1e6,
    })),
  ];
  print(rows);
  writeFileSync(
    'bench.json',
    `${JSON.stringify({ date: new Date().toISOString(), rounds, rows }, null, 2)}\n`,
  );
  for (const server of servers) await clean(server);
} finally {
  for (const server of servers) await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
