import { execFileSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { ownClient, run, stockClient, type Client } from '../support/client.ts';
import {
  askToken,
  joinBy,
  startDaemonCluster,
  type Cluster,
  type ClusterMember,
} from '../support/cluster.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, stockClientMissing } from '../support/reference.ts';
import { waitFor } from '../support/wait-for.ts';

const missing = stockClientMissing();

/** Processes that serve files of instances. */
const helpersOf = (dir: string): string[] =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('lxd-ts-runtime files') && line.includes(`${dir}/`));

/** Five machines, from the first to the last of a cluster, by the stock client. */
const life = (): void => {
  let dir: string;
  let cluster: Cluster;
  let first: ClusterMember;
  /** At the first member, and at one that is only a node. */
  let lxc: Client;
  /** Our own client, at another member. */
  let elsewhere: Client;

  const member = (name: string): ClusterMember => {
    const found = cluster.members.find((one) => one.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  /** What it prints; throws where it fails. */
  const must = async (client: Client, line: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await client(line.split(' '), input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`lxc ${line}: ${stderr}`);
    return stdout.trim();
  };
  const rows = async (line: string): Promise<string[][]> =>
    (await must(lxc, `${line} --format csv`)).split('\n').map((row) => row.split(','));
  const statusOf = async (name: string): Promise<string> => {
    const { metadata } = await first.rest.send('GET', `/1.0/cluster/members/${name}`);
    return (metadata as { status: string } | null)?.status ?? '';
  };
  const becomes = (name: string, status: string) =>
    waitFor(
      `${name} ${status}`,
      () => statusOf(name),
      (is) => is === status,
      60,
    );
  const where = async (): Promise<Record<string, string>> =>
    Object.fromEntries(await rows('list -c nL')) as Record<string, string>;

  beforeAll(async () => {
    dir = makeTemporary('cluster');
    cluster = await startDaemonCluster(join(dir, 'hosts'), 3);
    first = member('m1');
    lxc = stockClient(first.dir, join(dir, 'home-1'));
    mkdirSync(join(dir, 'home-3'));
    elsewhere = ownClient(lxdTs, member('m3').dir, join(dir, 'home-3'));
    const { unified } = makeBusyboxImage(join(dir, 'image'));
    await must(lxc, `image import ${unified} --alias bb`);
    await must(lxc, 'config set cluster.offline_threshold 11');
  });

  afterAll(async () => {
    const left = await cluster.stopAll();
    rmSync(dir, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  const preseeded = referenceMissing() ? test.skip : test;
  preseeded('a machine joins by the preseed of the stock lxd init', async () => {
    const fourth = await cluster.startHost(4);
    const preseed = [
      'cluster:',
      '  enabled: true',
      `  server_address: ${fourth.address}`,
      `  cluster_token: ${await askToken(first, 'm4')}`,
      '  server_name: m4',
      '  member_config:',
      '  - {entity: storage-pool, name: default, key: source, value: ""}',
      '',
    ].join('\n');
    const argv = ['nsenter', '-t', String(fourth.pid), '-n', 'lxd', 'init', '--preseed'];
    const joined = await run(argv, { input: preseed, environment: { LXD_DIR: fourth.dir } });
    expect(joined).toMatchObject({ code: 0, stderr: '' });
    await becomes('m4', 'Online');
  });

  test('another joins by a token, which is good once', async () => {
    if (!cluster.members.some(({ name }) => name === 'm4')) await joinBy(first, await cluster.startHost(4));
    await joinBy(first, await cluster.startHost(5));
    expect((await rows('cluster list')).map(([name, , , , , , status]) => [name, status])).toEqual(
      ['m1', 'm2', 'm3', 'm4', 'm5'].map((name) => [name, 'ONLINE']),
    );
    expect(await must(lxc, 'cluster list-tokens --format csv')).toBe('');
    expect(member('m5').inside(['ip', '-br', 'addr', 'show', 'lxdbr0'])).toContain('10.98.0.1/24');
  });

  test('an image is soon on three members, or on as many as are asked for', async () => {
    const { metadata } = await first.rest.send('GET', '/1.0/images');
    const fingerprint = (metadata as string[])[0]?.split('/').at(-1) ?? '';
    const holders = () =>
      cluster.members.filter(({ dir: at }) => existsSync(join(at, 'images', fingerprint)));
    const copies = (wanted: number) =>
      waitFor(
        `${wanted} copies of the image`,
        () => Promise.resolve(holders().length),
        (there) => there === wanted,
        60,
      );
    await copies(3);
    await must(lxc, 'config set cluster.images_minimal_replica=4');
    await copies(4);
    await must(lxc, 'config unset cluster.images_minimal_replica');
  });

  test('instances spread over all of them', async () => {
    for (const name of ['c1', 'c2', 'c3', 'c4', 'c5']) await must(lxc, `launch bb ${name}`);
    const placed = await where();
    expect(Object.values(placed).sort()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
  });

  test('go to the member or the group that is named', async () => {
    await must(lxc, 'cluster group create east');
    await must(lxc, 'cluster group assign m4 default,east');
    await must(lxc, 'launch bb t1 --target m5');
    await must(elsewhere, 'launch bb t2 --target @east');
    expect(await where()).toMatchObject({ t1: 'm5', t2: 'm4' });
  });

  test('are used from any member', async () => {
    for (const client of [lxc, elsewhere]) {
      expect(await must(client, 'exec t1 -- hostname')).toBe('t1');
      expect(await must(client, 'exec t2 -- cat', 'through')).toBe('through');
      await must(client, 'restart -f t1');
      expect(await must(client, 'info t1')).toContain('Status: RUNNING');
      expect(await must(client, 'console t1 --show-log')).toContain('Console log:');
    }
  });

  test('are moved to another member and back', async () => {
    for (const [client, to] of [
      [elsewhere, 'm2'],
      [lxc, 'm5'],
    ] as const) {
      await must(client, 'stop -f t1');
      await must(client, `move t1 --target ${to}`);
      expect(await where()).toMatchObject({ t1: to });
      await must(client, 'start t1');
      expect(await must(client, 'exec t1 -- hostname')).toBe('t1');
    }
  });

  test('take and give files from any member, running or not', async () => {
    const tree = join(dir, 'tree');
    mkdirSync(join(tree, 'sub'), { recursive: true });
    writeFileSync(join(tree, 'sub/large'), randomBytes(32 * 1024 * 1024));
    writeFileSync(join(tree, 'small'), 'small');
    for (const [i, client] of [lxc, elsewhere].entries()) {
      await must(client, `file push -rp ${tree} t1/srv/${i}`);
      const back = join(dir, `back-${i}`);
      mkdirSync(back);
      await must(client, `file pull -r t1/srv/${i}/tree ${back}`);
      expect(execFileSync('diff', ['-r', tree, join(back, 'tree')]).toString()).toBe('');
    }
    await must(lxc, 'stop -f t1');
    await must(elsewhere, 'file push - t1/srv/at-rest', 'not running');
    expect(await must(lxc, 'file pull t1/srv/at-rest -')).toBe('not running');
    await must(lxc, 'start t1');
    expect(await must(lxc, 'exec t1 -- cat /srv/at-rest')).toBe('not running');
    await waitFor(
      'the end of the last session',
      () => Promise.resolve(helpersOf(dir)),
      (left) => left.length === 0,
    );
  });

  const mounting = existsSync('/usr/bin/sshfs') && existsSync('/dev/fuse') ? test : test.skip;
  mounting('are mounted at a member that is only a node', async () => {
    const at = join(dir, 'mounted');
    mkdirSync(at);
    const mounted = elsewhere(['file', 'mount', 't2/etc', at]);
    await waitFor(
      'the mount',
      () => Promise.resolve(existsSync(join(at, 'passwd'))),
      (there) => there,
    );
    expect(readFileSync(join(at, 'passwd'), 'utf8')).toContain('root:');
    execFileSync('umount', [at]);
    expect(await mounted).toMatchObject({ code: 0 });
  });

  test('each member speaks for itself, and for who is named', async () => {
    const name = async (of: string, path: string): Promise<unknown> => {
      const { metadata } = await member(of).rest.must('GET', path);
      const { server_name, environment } = metadata as Record<string, Record<string, unknown>>;
      return server_name ?? environment?.['server_name'];
    };
    expect(await name('m3', '/1.0/cluster')).toBe('m3');
    expect(await name('m3', '/1.0')).toBe('m3');
    expect(await name('m1', '/1.0?target=m2')).toBe('m2');
    const resources = await member('m3').rest.must('GET', '/1.0/resources?target=m2');
    expect(resources.metadata).toHaveProperty('memory.total');
  });

  test('a pool is made member by member, and at once', async () => {
    for (const name of ['m1', 'm2', 'm3', 'm4'])
      await must(lxc, `storage create p1 btrfs size=300MiB --target ${name}`);
    const early = await lxc(['storage', 'create', 'p1', 'btrfs']);
    expect(early.stderr).toContain('Pool not defined on nodes: m5');
    await must(elsewhere, 'storage create p1 btrfs size=310MiB --target m5');
    await must(elsewhere, 'storage create p1 btrfs');
    expect(await must(lxc, 'storage get p1 size --target m5')).toBe('310MiB');
    expect(await must(lxc, 'storage get p1 size --target m2')).toBe('300MiB');
    await must(lxc, 'storage create p2 dir');
    expect(await must(lxc, 'storage show p2 --target m4')).toContain(`source: ${member('m4').dir}/`);
    await must(lxc, 'storage delete p1');
  });

  test('volumes are on one member, and instances that have them go there', async () => {
    await must(lxc, 'storage volume create default data --target m3');
    await must(elsewhere, 'storage volume create default data --target m5');
    expect(await rows('storage volume list default type=custom -f csv')).toEqual([
      ['custom', 'data', '', 'filesystem', '0', 'm3'],
      ['custom', 'data', '', 'filesystem', '0', 'm5'],
    ]);
    await must(lxc, 'storage volume snapshot default data s1 --target m5');
    const both = await lxc(['storage', 'volume', 'show', 'default', 'data']);
    expect(both.stderr).toContain('More than one cluster member has such a volume');
    await must(lxc, 'storage volume delete default data --target m3');
    await must(lxc, 'init bb v1 --no-profiles -s default');
    await must(lxc, 'delete v1');
    const device = { type: 'disk', pool: 'default', source: 'data', path: '/data' };
    const root = { type: 'disk', path: '/', pool: 'default' };
    const body = { name: 'v1', source: { type: 'image', alias: 'bb' }, devices: { root, data: device } };
    await first.rest.must('POST', '/1.0/instances', body);
    expect(await where()).toMatchObject({ v1: 'm5' });
    const moved = await lxc(['move', 'v1', '--target', 'm1']);
    expect(moved.stderr).toContain('does not have storage volume "default/data"');
    await must(lxc, 'start v1');
    expect(await must(elsewhere, 'exec v1 -- touch /data/x')).toBe('');
    await must(lxc, 'delete -f v1');
    await must(lxc, 'storage volume copy default/data default/again --target m5 --destination-target m1');
    expect(await rows('storage volume list default type=custom -f csv')).toEqual([
      ['custom', 'again', '', 'filesystem', '0', 'm1'],
      ['custom (snapshot)', 'again/s1', '', 'filesystem', '0', 'm1'],
      ['custom', 'data', '', 'filesystem', '0', 'm5'],
      ['custom (snapshot)', 'data/s1', '', 'filesystem', '0', 'm5'],
    ]);
    expect(existsSync(join(first.dir, 'storage-pools/default/custom/default_again/x'))).toBe(true);
    for (const name of ['again', 'data']) await must(elsewhere, `storage volume delete default ${name}`);
    await must(lxc, 'storage volume create default disk --type=block size=4MiB --target m5');
    const bytes = (at: string, name: string) =>
      join(member(at).dir, `storage-pools/default/custom/default_${name}/root.img`);
    writeFileSync(bytes('m5', 'disk'), 'first', { flag: 'r+' });
    await must(lxc, 'storage volume copy default/disk default/far --target m5 --destination-target m1');
    expect(readFileSync(bytes('m1', 'far'))).toEqual(readFileSync(bytes('m5', 'disk')));
    expect(await must(lxc, 'storage volume show default far')).toContain('content_type: block');
    for (const name of ['far', 'disk']) await must(elsewhere, `storage volume delete default ${name}`);
  });

  test('who was cut off follows what it has missed', async () => {
    const fifth = member('m5');
    await must(lxc, 'network create before ipv4.address=10.97.1.1/24 ipv6.address=none');
    cluster.underlay.plug(5, false);
    await becomes('m5', 'Offline');
    await must(lxc, 'network set lxdbr0 ipv4.address 10.98.1.1/24');
    await must(lxc, 'network delete before');
    await must(lxc, 'network create after ipv4.address=10.97.2.1/24 ipv6.address=none');
    await must(lxc, 'storage create p3 dir');
    await must(lxc, 'storage delete p2');
    await must(lxc, 'profile set default user.seen=yes');
    await must(lxc, 'launch bb late');
    expect((await where())['late']).not.toBe('m5');
    expect(fifth.inside(['ip', '-br', 'addr'])).toMatch(/lxdbr0 .*10\.98\.0\.1\/24[^]*before/);
    cluster.underlay.plug(5, true);
    await becomes('m5', 'Online');
    await waitFor(
      'the pool on m5',
      () => must(lxc, 'storage show p3 --target m5'),
      (shown) => shown.includes('status: Created'),
    );
    await waitFor(
      'the networks on m5',
      () => Promise.resolve(fifth.inside(['ip', '-br', 'addr'])),
      (shown) => /lxdbr0 .*10\.98\.1\.1\/24/.test(shown) && /after/.test(shown) && !/before/.test(shown),
    );
    await must(lxc, 'launch bb back --target m5');
    await must(lxc, 'delete -f back late');
    await must(lxc, 'storage delete p3');
    await must(lxc, 'network delete after');
  });

  test('a member is evacuated and restored', async () => {
    const before = await where();
    const mine = Object.keys(before).filter((name) => before[name] === 'm2');
    expect(mine).not.toEqual([]);
    await must(elsewhere, 'cluster evacuate m2 --force');
    expect(await statusOf('m2')).toBe('Evacuated');
    expect(Object.values(await where())).not.toContain('m2');
    await must(lxc, 'launch bb e1');
    expect((await where())['e1']).not.toBe('m2');
    expect((await lxc(['launch', 'bb', 'e2', '--target', 'm2'])).stderr).toContain(
      'Cluster member is evacuated',
    );
    await must(elsewhere, 'cluster restore m2 --force');
    expect(await statusOf('m2')).toBe('Online');
    expect(await where()).toMatchObject(before);
    for (const name of mine) expect(await must(lxc, `exec ${name} -- hostname`)).toBe(name);
    await must(lxc, 'delete -f e1');
  });

  test('a member gets another name', async () => {
    const before = await where();
    await must(lxc, 'cluster rename m4 four');
    await becomes('four', 'Online');
    await waitFor(
      'instances of four',
      () => lxc(['exec', 't2', '--', 'hostname']),
      ({ stdout }) => stdout.trim() === 't2',
    );
    expect(await where()).toMatchObject({ t2: 'four' });
    expect(Object.keys(await where())).toEqual(Object.keys(before));
    expect(await must(lxc, 'cluster group show east')).toContain('- four');
    // And its old one again.
    for (const [from, to] of [
      ['four', 'm4'],
      ['m4', 'four'],
    ] as const) {
      await must(elsewhere, `cluster rename ${from} ${to}`);
      await becomes(to, 'Online');
      await waitFor(
        `instances of ${to}`,
        () => lxc(['exec', 't2', '--', 'hostname']),
        ({ stdout }) => stdout.trim() === 't2',
      );
    }
  });

  test('a member leaves, and is alone again', async () => {
    const refused = await lxc(['cluster', 'remove', 'four']);
    expect(refused.stderr).toContain('Node still has the following containers');
    const placed = await where();
    for (const name of Object.keys(placed).filter((one) => placed[one] === 'four'))
      await must(lxc, `delete -f ${name}`);
    await must(elsewhere, 'cluster remove four');
    expect(await statusOf('four')).toBe('');
    const alone = await waitFor(
      'a machine that is alone',
      () =>
        member('m4')
          .rest.send('GET', '/1.0/cluster')
          .catch(() => undefined),
      (answer) => (answer?.metadata as { enabled?: boolean } | undefined)?.enabled === false,
    );
    expect(alone?.status).toBe(200);
    expect(member('m4').inside(['ip', '-br', 'link'])).not.toContain('lxdbr0');
  });

  test('a machine with instances becomes a cluster of its own', async () => {
    const { dir: alone, address, pid } = member('m4');
    const at = stockClient(alone, join(dir, 'home-4'));
    await must(at, `config set core.https_address ${address}`);
    await must(at, 'storage create mine dir');
    await must(at, `image import ${join(dir, 'image/unified.tar.gz')} --alias bb`);
    await must(at, 'launch bb early -s mine');
    const pidOf = async () => /PID: (\d+)/.exec(await must(at, 'info early'))?.[1];
    const before = await pidOf();
    expect(before).toBeDefined();
    await must(at, 'cluster enable four');
    await waitFor(
      'a cluster of one',
      () => at(['cluster', 'list', '--format', 'csv']),
      ({ stdout }) => stdout.startsWith(`four,https://${address},database,`),
    );
    expect(await must(at, 'list -c nsL --format csv')).toBe('early,RUNNING,four');
    expect(await pidOf()).toBe(before);
    expect(await must(at, 'exec early -- hostname')).toBe('early');
    expect(await must(at, 'storage show mine --target four')).toContain(`source: ${alone}/`);
    expect(pid).toBe(member('m4').pid);
  });

  test('the certificate of the cluster is changed on all of it', async () => {
    const [certificate, key] = [join(dir, 'new.crt'), join(dir, 'new.key')];
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -nodes -days 3 -subj /CN=new';
    execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    await must(lxc, `cluster update-certificate ${certificate} ${key}`);
    const { fingerprint256 } = new X509Certificate(readFileSync(certificate));
    const wanted = fingerprint256.replaceAll(':', '').toLowerCase();
    for (const name of ['m1', 'm3']) {
      const shown = async (): Promise<unknown> => {
        const { metadata } = await member(name).rest.must('GET', '/1.0');
        return (metadata as { environment: Record<string, unknown> }).environment['certificate_fingerprint'];
      };
      await waitFor(`the new certificate on ${name}`, shown, (is) => is === wanted);
    }
    expect(
      member('m3').inside([
        'sh',
        '-c',
        `openssl s_client -connect ${member('m2').address} </dev/null 2>/dev/null`,
      ]),
    ).toContain('subject=CN = new');
  });

  test('a dead member is removed by force, with what it had', async () => {
    await must(lxc, 'stop -f t1');
    const placed = await where();
    for (const name of Object.keys(placed).filter((one) => placed[one] === 'm5' && one !== 't1'))
      await must(lxc, `delete -f ${name}`);
    await cluster.lose('m5');
    await becomes('m5', 'Offline');
    await must(lxc, 'network set lxdbr0 ipv4.address 10.98.2.1/24');
    await must(elsewhere, 'cluster remove --force --yes m5');
    expect((await rows('cluster list')).map(([name]) => name)).toEqual(['m1', 'm2', 'm3']);
    expect(Object.keys(await where())).not.toContain('t1');
    await must(lxc, 'launch bb last');
  });
};

if (missing) test.skip(`the life of a cluster (${missing})`, () => undefined);
else describe('the life of a cluster', life);
