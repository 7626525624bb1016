/** Moves between members, ours and real LXD's; see scripts/bench-migration. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxImage } from '../../test/support/busybox.ts';
import { startDaemonCluster, type Cluster, type ClusterMember } from '../../test/support/cluster.ts';
import { startReferenceCluster } from '../../test/support/reference-cluster.ts';
import { BareTools, type Place } from './bare-tools.ts';

const rounds = Number(process.argv[2] ?? 3);
const onlyRunning = process.argv[3] === 'running';
const mebibytes = 1024;
const pools = ['fast', 'files'] as const;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** A quarter of it in small files; nothing of it can be compressed. */
const fill = `mkdir -p "$1/root/large" "$1/root/small"
for i in 1 2 3 4 5 6; do head -c ${mebibytes / 8}M /dev/urandom >"$1/root/large/$i"; done
i=0; while [ $i -lt 64 ]; do
  head -c ${mebibytes / 256}M /dev/urandom | split -b 16k -a 3 - "$1/root/small/$i-"
  i=$((i + 1))
done
sync -f "$1"`;

/** What runs inside: it tells all the time that it runs (hundredths of seconds of the machine's, not its own, uptime), and changes 50 MiB when it is told to. */
const init = `::sysinit:/bin/mount -o remount,rw /
::respawn:/bin/sh -c 'while :; do cut -d " " -f 22 /proc/self/stat >>/root/ticks; sleep 0.02; done'
::once:/bin/sh -c 'while [ ! -e /root/go ]; do sleep 0.05; done; i=0; while [ $i -lt 50 ]; do dd if=/dev/urandom of=/root/large/1 bs=1M count=1 seek=$i conv=notrunc; sleep 0.05; i=$((i + 1)); done; rm /root/go'
::ctrlaltdel:/bin/reboot
::shutdown:/bin/true
`;

class Subject {
  readonly name: string;
  readonly #cluster: Cluster;
  at = 'm1';

  constructor(name: string, cluster: Cluster) {
    this.name = name;
    this.#cluster = cluster;
  }

  member(name: string): ClusterMember {
    const found = this.#cluster.members.find((one) => one.name === name);
    if (!found) throw new Error(`no member ${name}`);
    return found;
  }

  get rest() {
    return this.member('m1').rest;
  }

  directory(pool: string, of = this.at): string {
    return join(this.member(of).dir, 'storage-pools', pool, 'containers');
  }

  /** The files, as this process sees them. */
  path(file: string, pool = 'fast'): string {
    return join(`/proc/${this.member(this.at).pid}/root`, this.directory(pool), 'c1', 'rootfs', file);
  }

  async prepare(image: string): Promise<void> {
    for (const [name, driver, config] of [
      ['fast', 'btrfs', { size: '5GiB' }],
      ['files', 'dir', {}],
    ] as const) {
      for (const target of ['m1', 'm2'])
        await this.rest.must('POST', `/1.0/storage-pools?target=${target}`, { name, driver, config });
      await this.rest.must('POST', '/1.0/storage-pools', { name, driver });
    }
    await this.rest.must('POST', '/1.0/images', readFileSync(image));
  }

  async make(pool: string): Promise<void> {
    const { metadata } = await this.rest.must('GET', '/1.0/images');
    const fingerprint = String((metadata as string[])[0])
      .split('/')
      .pop();
    this.at = 'm1';
    await this.rest.must('POST', '/1.0/instances?target=m1', {
      name: 'c1',
      profiles: [],
      devices: { root: { type: 'disk', path: '/', pool } },
      source: { type: 'image', fingerprint },
    });
    const rootfs = join(this.directory(pool), 'c1/rootfs');
    this.member('m1').inside(['sh', '-ec', fill, 'sh', rootfs]);
    this.member('m1').inside(['chmod', '777', join(rootfs, 'root')]);
    writeFileSync(this.path('etc/inittab', pool), init);
  }

  state = (action: string) =>
    this.rest.must('PUT', '/1.0/instances/c1/state', { action, force: true, timeout: 30 });

  /** To the other member; a server that cannot take a running one along has it stopped and started by us. */
  async move(running: boolean): Promise<number> {
    const to = this.at === 'm1' ? 'm2' : 'm1';
    const post = () =>
      this.rest.must('POST', `/1.0/instances/c1?target=${to}`, { name: 'c1', migration: true, live: false });
    const begin = performance.now();
    try {
      await post();
    } catch (error) {
      if (!running) throw error;
      await this.state('stop');
      await post();
      await this.state('start');
    }
    this.at = to;
    return (performance.now() - begin) / 1000;
  }

  /** The longest time without a sign of life inside, in seconds. */
  async stopped(): Promise<number> {
    await sleep(1500);
    const ticks = readFileSync(this.path('root/ticks'), 'utf8')
      .split('\n')
      .map((line) => Number(line) / 100)
      .filter((tick) => tick > 0);
    return Math.max(...ticks.slice(1).map((tick, at) => tick - (ticks[at] ?? tick)));
  }

  async remove(): Promise<void> {
    await this.rest.call('PUT', '/1.0/instances/c1/state', { action: 'stop', force: true });
    await this.rest.must('DELETE', '/1.0/instances/c1');
  }

  stop = (): Promise<string[]> => this.#cluster.stopAll();
}

const results = new Map<string, number[]>();
const note = (what: string, seconds: number): void => {
  results.set(what, [...(results.get(what) ?? []), seconds]);
  process.stderr.write(`${what}: ${seconds.toFixed(2)} s\n`);
};

async function running(subject: Subject): Promise<void> {
  await subject.make('fast');
  await subject.state('start');
  await sleep(1000);
  for (let round = 0; round < rounds; round++) {
    // As those inside see it: only their own may be removed there.
    writeFileSync(subject.path('root/go'), '');
    note(`${subject.name}: running, total`, await subject.move(true));
    note(`${subject.name}: running, stopped`, await subject.stopped());
    if (existsSync(subject.path('root/go'))) process.stderr.write('not all had changed before it stopped\n');
    writeFileSync(subject.path('root/ticks'), '');
  }
  await subject.remove();
}

async function stopped(subject: Subject, bare: BareTools | undefined): Promise<void> {
  for (const pool of pools) {
    const kind = pool === 'fast' ? 'btrfs' : 'rsync';
    await subject.make(pool);
    for (let round = 0; round < rounds; round++) {
      note(`${subject.name}: ${kind}`, await subject.move(false));
      if (!bare) continue;
      const place = (name: string): Place => ({
        pid: subject.member(name).pid,
        address: subject.member(name).address.replace(/:\d+$/, ''),
        directory: join(subject.member(name).dir, 'storage-pools', pool),
      });
      const [from, to] = subject.at === 'm1' ? ['m1', 'm2'] : ['m2', 'm1'];
      for (const tls of [false, true])
        note(
          `bare ${kind}${tls ? ' over TLS' : ''}`,
          await bare[kind](place(from), place(to), join(subject.directory(pool), 'c1'), tls),
        );
    }
    await subject.remove();
  }
}

async function main(): Promise<void> {
  const dir = mkdtempSync('/tmp/lxd-ts-bench-migration-');
  chmodSync(dir, 0o711);
  const { unified } = makeBusyboxImage(join(dir, 'image'));
  const bare = new BareTools(dir);
  const left: string[] = [];
  try {
    for (const [name, start] of [
      ['lxd-tsd', startDaemonCluster],
      ['real LXD', startReferenceCluster],
    ] as const) {
      const subject = new Subject(name, await start(join(dir, name === 'lxd-tsd' ? 'ours' : 'lxd'), 2));
      try {
        await subject.prepare(unified);
        await running(subject);
        if (!onlyRunning) await stopped(subject, name === 'lxd-tsd' ? bare : undefined);
      } finally {
        left.push(...(await subject.stop()));
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  const table = [...results].map(([what, all]) => {
    const seconds = median(all);
    const rate = what.includes('running') ? '' : `${((mebibytes * 1.048576) / seconds).toFixed(0)} MB/s`;
    return { what, 'median s': seconds.toFixed(2), rate };
  });
  console.table(table);
  writeFileSync(
    'bench-migration.json',
    `${JSON.stringify({ rounds, results: Object.fromEntries(results) }, null, 2)}\n`,
  );
  if (left.length > 0) throw new Error(`left over:\n${left.join('\n')}`);
}

await main();
