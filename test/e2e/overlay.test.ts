import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { startMigration } from '../support/migrate.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** Instances that are an upper layer over their image: pool `o`; `d` is of whole directories. */
let ground: Ground;
let client: Client;
let fingerprint: string;

const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await client(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
};
const inside = (name: string, script: string, ...options: string[]): Promise<string> =>
  must('exec', name, ...options, '--', 'sh', '-ec', script);
const rest = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  ground.server.rest.must(method, path, body, headers);
const launch = (name: string, pool: string, ...more: string[]) =>
  must('launch', 'busybox', name, '-s', pool, ...more);
const poolDir = (pool: string, ...parts: string[]) =>
  join(ground.server.dir, 'storage-pools', pool, ...parts);
/** What is mounted of the pool, where the daemon lives. */
const mounted = (): string[] =>
  readFileSync(`/proc/${ground.server.pid}/mounts`, 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((target) => target.startsWith(`${poolDir('o')}/`))
    .map((target) => target.slice(poolDir('o').length + 1))
    .sort();

/** A line for each file with all that must stay as it is, hard links among them. */
const look = `cd /; find bin/rights bin/raw etc root usr opt -xdev ! -type d ! -path etc/resolv.conf -exec stat -c '%n %f %u %g %s %h %N' {} + | sort
find etc root usr opt -xdev -type d -exec stat -c '%n %f %u %g' {} + | sort
find etc root usr opt -xdev -type f ! -path etc/resolv.conf -exec md5sum {} + | sort`;
/** Everything that is hard for layers: what is gone, was renamed, replaced or linked, and owners. */
const change = `mkdir -p /opt/new/deep; echo 1 >/opt/new/deep/file; ln /opt/new/deep/file /opt/new/linked
rm -r /usr/share; mkdir -p /usr/share/other; echo new >/usr/share/other/file
mv /etc/moving /opt/moved; rm /etc/gone; echo more >>/etc/passwd; ln -s nowhere /root/dangling
echo x >'/root/of others'; chown 1000:2000 '/root/of others'; mkfifo /root/fifo; chmod 4755 /bin/rights`;

/** The busybox image, with programs that get rights by their files, and directories to do things to. */
function makeImage(from: string, dir: string): string {
  const tree = join(dir, 'overlay-image');
  mkdirSync(tree);
  const sh = (script: string, ...args: string[]) =>
    execFileSync('sh', ['-ec', script, 'sh', ...args], { cwd: tree });
  sh(
    'tar -xf "$1"; gcc -O1 -Wall -Werror -static -o rootfs/bin/rights "$2"',
    from,
    join(import.meta.dirname, '../support/rights.c'),
  );
  sh(
    `cp rootfs/bin/rights rootfs/bin/raw; chmod 4755 rootfs/bin/rights; setcap cap_net_raw+ep rootfs/bin/raw
    mkdir -p rootfs/etc/moving/deep rootfs/opt templates; echo in image >rootfs/etc/moving/deep/file; echo bye >rootfs/etc/gone
    echo 'name {{ container.name }}' >templates/hello.tpl
    printf 'templates:\n  /etc/hello:\n    when: [create, copy, start]\n    template: hello.tpl\n' >>metadata.yaml
    tar --xattrs --xattrs-include='*' -czf "$1" *`,
    join(dir, 'overlay-image.tar.gz'),
  );
  return join(dir, 'overlay-image.tar.gz');
}

beforeAll(async () => {
  ground = await prepareGround('overlay', (dir) => life.start(dir));
  client = life.client(ground.server.dir, join(ground.dir, 'home'));
  await must('storage', 'create', 'o', 'overlay');
  await must('storage', 'create', 'd', 'dir');
  await must('image', 'import', makeImage(ground.image.unified, ground.dir), '--alias', 'busybox');
  fingerprint =
    String(((await rest('GET', '/1.0/images')).metadata as string[])[0])
      .split('/')
      .pop() ?? '';
  await launch('c1', 'o');
});

afterAll(async () => {
  await ground.clear();
});

test('it runs with owners of its own, on what it shares with the image', async () => {
  expect(mounted()).toEqual(['containers/c1/rootfs']);
  expect(
    await inside('c1', 'id -u; stat -c %u /root /bin/busybox; touch /root/mine; stat -c %u:%g /root/mine'),
  ).toBe('0\n0\n0\n0:0\n');
  expect(readdirSync(poolDir('o', 'images'))).toEqual([fingerprint]);
  expect(await inside('c1', 'cat /etc/hello')).toBe('name c1\n');
});

test('programs get rights by their files: of the image, copied up, and new ones', async () => {
  const asUser = (program: string) => inside('c1', program, '--user', '1000');
  expect(await asUser('rights')).toBe('0 raw\n');
  expect(await asUser('raw')).toBe('1000 raw\n');
  await inside(
    'c1',
    'touch /bin/raw; chmod 755 /bin/rights; cp /bin/rights /bin/rights2; chmod 4755 /bin/rights /bin/rights2',
  );
  expect(await asUser('rights; rights2; raw')).toBe('0 raw\n0 raw\n1000 raw\n');
  await inside('c1', 'rm /bin/rights2');
});

describe('files', () => {
  const file = (name: string, path: string) =>
    `/1.0/instances/${name}/files?path=${encodeURIComponent(path)}`;
  const put = (path: string, text: string, uid = '0') =>
    rest('POST', file('c1', path), text, {
      'X-LXD-uid': uid,
      'X-LXD-gid': uid,
      'X-LXD-mode': '0640',
      'Content-Type': 'application/octet-stream',
    });
  const get = async (path: string) => {
    const { text, headers } = await rest('GET', file('c1', path));
    return [text, headers['x-lxd-uid']];
  };

  test('are put and read while it runs, and when it does not', async () => {
    await put('/root/put', 'running', '7');
    expect(await get('/root/put')).toEqual(['running', '7']);
    expect(await inside('c1', 'stat -c %u:%g:%a /root/put; cat /root/put')).toBe('7:7:640\nrunning');
    await must('stop', '-f', 'c1');
    expect(mounted()).toEqual([]);
    expect(await get('/root/put')).toEqual(['running', '7']);
    await put('/root/put2', 'stopped', '8');
    expect(await get('/etc/gone')).toEqual(['bye\n', '0']);
    await waitFor(
      'nobody in the files',
      () => Promise.resolve(mounted()),
      (all) => all.length === 0,
    );
    // One that has just been looked at starts all the same.
    expect(await get('/root/put2')).toEqual(['stopped', '8']);
    await must('start', 'c1');
    expect(await inside('c1', 'stat -c %u:%a /root/put2; cat /root/put2; rm /root/put /root/put2')).toBe(
      '8:640\nstopped',
    );
  });

  test('metadata and templates, running and stopped', async () => {
    for (const when of ['running', 'stopped']) {
      const { metadata } = await rest('GET', '/1.0/instances/c1/metadata');
      const properties = { ...(metadata as { properties: object }).properties, when };
      await rest('PUT', '/1.0/instances/c1/metadata', { ...(metadata as object), properties });
      await rest('POST', `/1.0/instances/c1/metadata/templates?path=${when}.tpl`, `as ${when}`, {
        'Content-Type': 'application/octet-stream',
      });
      expect((await rest('GET', '/1.0/instances/c1/metadata')).metadata).toMatchObject({
        properties: { when },
      });
      if (when === 'running') await must('stop', '-f', 'c1');
    }
    expect((await rest('GET', '/1.0/instances/c1/metadata/templates')).metadata).toEqual([
      'hello.tpl',
      'running.tpl',
      'stopped.tpl',
    ]);
    await must('start', 'c1');
  });
});

describe('copies of all kinds', () => {
  let before: string;
  let after: string;
  const same = async (name: string, expected: string) => {
    const { stdout } = await client(['list', name, '-c', 's', '-f', 'csv']);
    if (stdout.trim() !== 'RUNNING') await must('start', name);
    // What is rendered at a start, and when.
    const shown = async (text: string) =>
      text.split('\n').filter((line) => !/etc\/hello| etc [0-9a-f]|^etc [0-9a-f]/.test(line));
    expect(await shown(await inside(name, look))).toEqual(await shown(expected));
    await must('delete', '-f', name);
  };

  beforeAll(async () => {
    before = await inside('c1', look);
    await must('snapshot', 'c1', 'before');
    await inside('c1', change);
    after = await inside('c1', look);
    expect(after).not.toBe(before);
    await must('snapshot', 'c1', 'after');
  });

  test('within the pool, of snapshots, while it runs', async () => {
    await must('copy', 'c1', 'whole');
    await must('copy', 'c1/before', 'then');
    await must('copy', 'c1', 'alone', '--instance-only');
    await must('copy', 'whole/before', 'again');
    await same('whole', after);
    await same('then', before);
    await same('alone', after);
    await same('again', before);
  });

  test('into another pool and back, with their snapshots', async () => {
    await must('copy', 'c1', 'across', '-s', 'd');
    await must('copy', 'across', 'back', '-s', 'o');
    await must('copy', 'back/before', 'then');
    await same('then', before);
    await inside('c1', 'echo later >/root/later');
    const later = await inside('c1', look);
    for (const name of ['across', 'back']) await must('copy', 'c1', name, '--refresh');
    await same('across', later);
    await same('back', later);
    await inside('c1', 'rm /root/later');
    after = await inside('c1', look);
  });

  test('moved and renamed', async () => {
    await must('copy', 'c1', 'm');
    await must('move', 'm', 'm2');
    await must('move', 'm2', '-s', 'd');
    await must('move', 'm2', '-s', 'o');
    expect(existsSync(poolDir('d', 'containers/m2'))).toBe(false);
    await must('copy', 'm2/before', 'then');
    await same('then', before);
    await same('m2', after);
  });

  test('exported and imported, into another pool and from there', async () => {
    const file = join(ground.dir, 'backup.tar.gz');
    await must('export', 'c1', file);
    await must('import', file, 'in', '-s', 'd');
    await must('export', 'in', file);
    await same('in', after);
    await must('import', file, 'in', '-s', 'o');
    await must('copy', 'in/before', 'then');
    await same('then', before);
    await same('in', after);
  });

  test('over the wire, based on the same image', async () => {
    const host = { server: ground.server };
    const { source, sink } = await (
      await startMigration({ mode: 'relay', from: [host, 'c1'], to: [host, 'sent'], pool: 'o' })
    ).ended;
    expect([source.err, sink.err]).toEqual(['', '']);
    expect(readFileSync(poolDir('o', 'containers/sent/rootfs/image'), 'utf8')).toBe(fingerprint);
    await must('copy', 'sent/before', 'then');
    await same('then', before);
    await same('sent', after);
  });

  test('published, and rebuilt', async () => {
    await must('publish', 'c1/after', '--alias', 'published');
    await must('launch', 'published', 'p', '-s', 'o');
    expect(
      await inside('p', 'cat /opt/new/deep/file; ls /etc/gone /usr/share; rights', '--user', '1000').catch(
        String,
      ),
    ).toMatch(/etc\/gone: No such file/);
    await must('stop', '-f', 'p');
    await must('rebuild', 'busybox', 'p');
    await same('p', before.replace(/^root\/mine.*\n|.*root\/mine\n/gm, ''));
    await must('image', 'delete', 'published');
    // The image of nothing that is left goes.
    expect(readdirSync(poolDir('o', 'images'))).toEqual([fingerprint]);
    expect(readdirSync(poolDir('o', 'layers'))).toEqual(['none']);
  });

  test('it goes back to what it was', async () => {
    await must('restore', 'c1', 'before');
    expect(await inside('c1', look)).toBe(before);
    await must('restore', 'c1', 'after');
    for (const name of ['before', 'after']) await must('delete', `c1/${name}`);
  });
});

test('other ids are only another mount: isolated, privileged, mapped by hand', async () => {
  // Where the daemon lives, root may give away one id more.
  const allowed = join(ground.dir, 'ids');
  writeFileSync(allowed, 'root:1000000:1000000000\nroot:50000:1\n');
  for (const file of ['/etc/subuid', '/etc/subgid']) ground.server.inside(['mount', '--bind', allowed, file]);
  const onHost = async (path: string) => {
    const { metadata } = await rest('GET', '/1.0/instances/c1/state');
    const file = join('/proc', String((metadata as { pid: number }).pid), 'root', path);
    return execFileSync('stat', ['-c', '%u', file], { encoding: 'utf8' }).trim();
  };
  const base = await onHost('root');
  const expectSame = async () => {
    const script =
      "stat -c '%u %g' '/root/of others' /bin/busybox; rights; echo x >>/etc/passwd; echo x >/root/x; rm /root/x";
    expect(await inside('c1', script)).toBe('1000 2000\n0 0\n0 raw\n');
    expect(await inside('c1', 'rights; raw', '--user', '1000')).toBe('0 raw\n1000 raw\n');
  };
  await expectSame();
  for (const [key, value, root, other] of [
    ['security.idmap.isolated', 'true', /^(?!0$)\d+$/, /\d/],
    ['security.privileged', 'true', /^0$/, /^1000$/],
    ['raw.idmap', 'both 50000 1000', new RegExp(`^${base}$`), /^50000$/],
  ] as const) {
    await must('config', 'set', 'c1', `${key}=${value}`);
    await must('restart', '-f', 'c1');
    await expectSame();
    expect([key, await onHost('root'), await onHost('root/of others')]).toEqual([
      key,
      expect.stringMatching(root),
      expect.stringMatching(other),
    ]);
    if (key === 'security.idmap.isolated') expect(await onHost('root')).not.toBe(base);
    await must('config', 'unset', 'c1', key);
  }
  await must('restart', '-f', 'c1');
  expect(await onHost('root')).toBe(base);
});

test('custom volumes are in many instances, come and go', async () => {
  await must('storage', 'volume', 'create', 'o', 'v1');
  await launch('c2', 'o');
  for (const name of ['c1', 'c2'])
    await must('config', 'device', 'add', name, 'data', 'disk', 'pool=o', 'source=v1', 'path=/data');
  await inside('c1', 'echo shared >/data/file; chown 5:6 /data/file');
  expect(await inside('c2', 'stat -c %u:%g /data/file; cat /data/file')).toBe('5:6\nshared\n');
  await must('config', 'device', 'remove', 'c1', 'data');
  expect(await inside('c2', 'cat /data/file')).toBe('shared\n');
  await must('delete', '-f', 'c2');
  await must('storage', 'volume', 'delete', 'o', 'v1');
});

test('a size is a wish, as in any pool that cannot limit', async () => {
  await must('config', 'device', 'override', 'c1', 'root', 'size=10MiB').catch(() =>
    must('config', 'device', 'set', 'c1', 'root', 'size=10MiB'),
  );
  await inside('c1', 'head -c 20m /dev/zero >/root/big; rm /root/big');
  const { metadata } = await rest('GET', '/1.0/instances/c1/state');
  expect((metadata as { disk: object }).disk).toEqual({});
});

test('an image that is deleted stays below those that have it, and goes with the last', async () => {
  const again = () => must('image', 'import', join(ground.dir, 'overlay-image.tar.gz'), '--alias', 'busybox');
  await must('delete', '-f', 'c1');
  await launch('c1', 'o');
  await must('image', 'delete', fingerprint);
  expect(readdirSync(poolDir('o', 'images'))).toEqual([]);
  expect(await inside('c1', 'cat /etc/moving/deep/file')).toBe('in image\n');
  await must('restart', '-f', 'c1');
  expect(await inside('c1', 'cat /etc/moving/deep/file; rights')).toBe('in image\n0 raw\n');
  await must('copy', 'c1', 'heir');
  await must('delete', '-f', 'c1');
  expect(readdirSync(poolDir('o', 'layers')).sort()).toEqual([fingerprint, 'none'].sort());
  // It is had again: what is there serves.
  await again();
  await launch('c1', 'o');
  expect(readdirSync(poolDir('o', 'layers'))).toEqual(['none']);
  await must('image', 'delete', fingerprint);
  await must('delete', '-f', 'c1');
  await must('delete', 'heir');
  expect(readdirSync(poolDir('o', 'layers'))).toEqual(['none']);
  await again();
});

test('killed at any moment, the daemon takes over what runs, unmounts all else, and leaves nothing half done', async () => {
  await client(['delete', '-f', 'c1']);
  await launch('stays', 'o');
  await must('init', 'busybox', 'turns', '-s', 'o');
  await must('snapshot', 'turns', 'kept');
  const { metadata } = await rest('GET', '/1.0/instances/stays/state');
  const listed = async (filter: string) =>
    (await must('list', '-c', 'n', '-f', 'csv', filter)).trim().split('\n').filter(Boolean).sort();
  for (let i = 0; i < 4; i++) {
    const working = (async () => {
      for (;;) {
        await must('start', 'turns');
        await must('copy', 'turns', 'k');
        await must('stop', '-f', 'turns');
        await must('file', 'push', ground.image.metadata, 'turns/root/pushed');
        await must('restore', 'turns', 'kept');
        await must('move', 'k', '-s', 'd');
        await must('move', 'k', '-s', 'o');
        await must('rebuild', 'busybox', 'k');
        await must('delete', 'k');
      }
    })().catch(() => undefined);
    await sleep(200 + Math.random() * 1_500);
    await ground.server.crash();
    await working;
    const running = await listed('status=running');
    expect(running).toContain('stays');
    await waitFor(
      'only what runs is mounted',
      () => Promise.resolve(mounted()),
      (all) => all.join() === running.map((name) => `containers/${name}/rootfs`).join(),
    );
    const { pid } = metadata as { pid: number };
    expect((await rest('GET', '/1.0/instances/stays/state')).metadata).toMatchObject({ pid });
    expect(await inside('stays', `echo ${i} >/root/round; cat /root/round`)).toBe(`${i}\n`);
    await client(['stop', '-f', 'turns']);
    await client(['delete', '-f', 'k']);
    expect(await listed('')).toEqual(['stays', 'turns']);
    expect(readdirSync(poolDir('o', 'containers')).sort()).toEqual(['stays', 'turns']);
    expect(readdirSync(poolDir('o', 'containers-snapshots/turns'))).toEqual(['kept']);
    expect(readdirSync(poolDir('o', 'layers'))).toEqual(['none']);
    await must('restore', 'turns', 'kept');
  }
  await must('stop', '-f', 'stays');
  expect(mounted()).toEqual([]);
});
