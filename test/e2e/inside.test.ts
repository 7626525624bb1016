import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { waitFor } from '../support/wait-for.ts';

/** What a container sees of itself and its neighbours. */
describe('inside a container', () => {
  let ground: Ground;
  let client: Client;

  const inside = async (name: string, script: string): Promise<string> => {
    const { stdout, stderr } = await client(['exec', name, '--', 'sh', '-c', script]);
    return stdout + stderr;
  };

  beforeAll(async () => {
    ground = await prepareGround('inside', (dir) => life.start(dir));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await client(['image', 'import', ground.image.unified, '--alias', 'busybox']);
    for (const name of ['one', 'two']) {
      const { code, stderr } = await client(['launch', 'busybox', name, '-c', 'limits.memory=48MiB']);
      if (code !== 0) throw new Error(stderr);
      await waitFor(
        'a lease',
        () => inside(name, 'cat /etc/resolv.conf'),
        (text) => text.includes('nameserver'),
      );
    }
  });

  afterAll(async () => {
    await ground.clear();
  });

  test('pid 1 is its own init, as root of a shifted range', async () => {
    expect(await inside('one', 'cat /proc/1/comm')).toBe('init\n');
    const [[first = '', host = '', count = ''] = []] = (await inside('one', 'cat /proc/self/uid_map'))
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    expect(first).toBe('0');
    expect(Number(host)).toBeGreaterThanOrEqual(65_536);
    expect(Number(count)).toBeGreaterThanOrEqual(65_536);
    expect(await inside('one', 'id -u; stat -c %u /root; touch /root/mine && stat -c %u /root/mine')).toBe(
      '0\n0\n0\n',
    );
  });

  test('its rights end at its border', async () => {
    expect(await inside('one', 'mknod /dev/kmem2 c 1 2')).toMatch(/not permitted/i);
    expect(await inside('one', 'echo 1 >/proc/sys/kernel/printk')).toMatch(/denied|read-only/i);
    expect(await inside('one', 'grep Seccomp: /proc/self/status')).toMatch(/2$/m);
    expect(await inside('one', 'dmesg')).toMatch(/not permitted/i);
  });

  test('it has its own name', async () => {
    expect(await inside('two', 'hostname')).toBe('two\n');
  });

  test("the bridge's DNS answers, also for its neighbour", async () => {
    const bridge = /nameserver (\S+)/.exec(await inside('one', 'cat /etc/resolv.conf'))?.[1] ?? '';
    expect(await inside('one', `ping -c 1 -W 5 ${bridge}`)).toMatch(/1 packets received/);
    const looked = await waitFor(
      'the name',
      () => inside('one', 'nslookup two.lxd'),
      (text) => /Name:\s+two\.lxd/.test(text),
    );
    expect(looked).toContain(bridge);
    expect(await inside('one', 'ping -c 1 -W 5 two.lxd')).toMatch(/1 packets received/);
    expect(await inside('two', 'ping -c 1 -W 5 one')).toMatch(/1 packets received/);
  });

  test('/dev/lxd tells it of itself, also after the daemon was killed', async () => {
    const dir = join(ground.server.dir, 'devlxd');
    const sockets = () =>
      readdirSync(dir)
        .map((name) => join(dir, name, 'sock'))
        .filter(existsSync)
        .map((path) => ({ path, inode: statSync(path).ino }));
    /** Its own, as it sees it. */
    const own = async (name: string) => {
      const inode = Number(await inside(name, 'stat -c %i /dev/lxd/sock'));
      const found = sockets().find((one) => one.inode === inode);
      if (!found) throw new Error(`${name} sees a socket that is not there`);
      return found.path;
    };
    const ask = async (name: string, path: string): Promise<string> => {
      const asked = request({ socketPath: await own(name), path, agent: false }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      return `${response.statusCode ?? 0} ${await text(response)}`;
    };
    expect(await inside('one', 'ls -lan /dev/lxd/sock')).toMatch(/^srw-rw-rw-/);
    await client(['config', 'set', 'one', 'user.colour=blue']);
    expect(await ask('one', '/1.0/config/user.colour')).toBe('200 blue');
    expect(await ask('two', '/1.0/config/user.colour')).toBe('404 not found\n');
    expect(await ask('one', '/1.0/config/limits.memory')).toBe('403 not authorized\n');
    expect(await ask('two', '/1.0/meta-data')).toMatch(
      /^200 #cloud-config\ninstance-id: \S{36}\nlocal-hostname: two\n$/,
    );
    await ground.server.crash();
    expect(
      await waitFor(
        'an answer',
        () => ask('one', '/1.0/config/user.colour').catch(String),
        (answer) => answer.startsWith('200'),
      ),
    ).toBe('200 blue');
    // Images only where it may have them, and only those that are for everybody.
    const { metadata } = await ground.server.rest.must('GET', '/1.0/images/aliases/busybox');
    const { target } = metadata as { target: string };
    const exported = `/1.0/images/${target}/export`;
    expect(await ask('one', exported)).toBe('403 not authorized\n');
    await client(['config', 'set', 'one', 'security.devlxd.images=true']);
    expect(await ask('one', exported)).toMatch(/^404 .*Image not found/);
    await ground.server.rest.must('PATCH', `/1.0/images/${target}`, { public: true });
    expect((await ask('one', exported)).slice(0, 4)).toBe('200 ');
    expect(await ask('two', exported)).toBe('403 not authorized\n');
    await client(['config', 'set', 'one', 'security.devlxd=false']);
    expect(sockets().length).toBe(1);
    await client(['config', 'set', 'one', 'security.devlxd=true']);
    expect(await ask('one', '/1.0/config/user.colour')).toBe('200 blue');
  });

  test('its memory is what its limit says', async () => {
    expect(await inside('one', 'grep MemTotal /proc/meminfo')).toMatch(/\s49152 kB/);
    await client(['config', 'set', 'one', 'limits.memory=96MiB']);
    expect(await inside('one', 'grep MemTotal /proc/meminfo')).toMatch(/\s98304 kB/);
  });
});
