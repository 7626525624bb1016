import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Client, Result } from '../support/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { leftovers } from '../support/server.ts';
import { waitFor } from '../support/wait-for.ts';

/** Devices that come and go while an unprivileged container runs. */
describe('devices of a running container', () => {
  let ground: Ground;
  let client: Client;
  let hostDir: string;

  const makeNode = (name: string, ...numbers: string[]): void => {
    execFileSync('mknod', [join(hostDir, 'dev', name), ...numbers]);
  };
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(hostDir, path)), { recursive: true });
    writeFileSync(join(hostDir, path), `${text}\n`);
  };

  const inside = async (script: string): Promise<string> => {
    const { stdout, stderr } = await client(['exec', 'c1', '--', 'sh', '-c', script]);
    return (stdout + stderr).trim();
  };
  const device = (...args: string[]): Promise<Result> => client(['config', 'device', ...args]);
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await device(...args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const onHost = (...argv: string[]): string => ground.server.inside(argv);

  beforeAll(async () => {
    ground = await prepareGround('devices', (dir) => {
      // Devices of the host as the tests want them.
      hostDir = join(dir, '../host');
      mkdirSync(join(hostDir, 'dev'), { recursive: true });
      return startDaemon(dir, ['--dev-dir', join(hostDir, 'dev'), '--sys-dir', join(hostDir, 'sys')]);
    });
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await client(['image', 'import', ground.image.unified, '--alias', 'busybox']);
    const { code, stderr } = await client(['launch', 'busybox', 'c1']);
    if (code !== 0) throw new Error(stderr);
  });

  afterAll(async () => {
    await ground.clear();
  });

  test('a directory and a file of the host come and go', async () => {
    const shared = join(ground.dir, 'shared');
    mkdirSync(shared, { mode: 0o755 });
    writeFileSync(join(shared, 'file'), 'hello');
    await must('add', 'c1', 'data', 'disk', `source=${shared}`, 'path=/mnt/deep/data', 'shift=true');
    expect(await inside('cat /mnt/deep/data/file; stat -c %u /mnt/deep/data/file')).toBe('hello0');
    expect(await inside('touch /mnt/deep/data/new && echo made')).toBe('made');
    await must('add', 'c1', 'one', 'disk', `source=${shared}/file`, 'path=/etc/one', 'readonly=true');
    expect(await inside('cat /etc/one; echo x >/etc/one')).toMatch(/^hello.*Read-only/s);
    // A change of what is fixed is an unplug and a plug.
    await must('set', 'c1', 'data', 'readonly=true');
    expect(await inside('touch /mnt/deep/data/other')).toMatch(/Read-only/);
    await must('remove', 'c1', 'data');
    await must('remove', 'c1', 'one');
    expect(await inside('ls /mnt/deep/data; grep -c -e deep -e /etc/one /proc/mounts')).toBe('0');
    expect((await device('add', 'c1', 'odd', 'disk', 'source=/no/such/thing', 'path=/x')).stderr).toMatch(
      /Missing source path "\/no\/such\/thing"/,
    );
    expect((await must('list', 'c1')).trim()).toBe('');
  });

  test('the filesystem of a block device, and mounts that spread', async () => {
    const image = join(ground.dir, 'ext4.img');
    execFileSync('truncate', ['-s', '8M', image]);
    execFileSync('mkfs.ext4', ['-q', image]);
    const loop = onHost('losetup', '--find', '--show', image).trim();
    try {
      await must('add', 'c1', 'fs', 'disk', `source=${loop}`, 'path=/mnt/fs', 'raw.mount.options=noexec');
      expect(await inside('ls /mnt/fs; grep /mnt/fs /proc/mounts')).toMatch(/lost\+found\n.*ext4.*noexec/);
      await must('remove', 'c1', 'fs');
      expect(onHost('cat', '/proc/mounts')).not.toMatch(loop);
    } finally {
      onHost('losetup', '--detach', loop);
    }
    const tree = join(ground.dir, 'tree');
    for (const name of ['below', 'later']) mkdirSync(join(tree, name), { recursive: true });
    onHost('mount', '--bind', tree, tree);
    onHost('mount', '--make-shared', tree);
    onHost('mount', '-t', 'tmpfs', 'none', join(tree, 'below'));
    await must(
      'add',
      'c1',
      'all',
      'disk',
      `source=${tree}`,
      'path=/mnt/all',
      'recursive=true',
      'propagation=rslave',
    );
    expect(await inside('grep -c /mnt/all /proc/mounts')).toBe('2');
    onHost('mount', '-t', 'tmpfs', 'none', join(tree, 'later'));
    expect(await inside('grep -c /mnt/all /proc/mounts')).toBe('3');
    onHost('umount', join(tree, 'later'));
    expect(await inside('grep -c /mnt/all /proc/mounts')).toBe('2');
    await must('remove', 'c1', 'all');
    await must(
      'add',
      'c1',
      'all',
      'disk',
      `source=${tree}`,
      'path=/mnt/all',
      'raw.mount.options=nosuid,nodev',
    );
    expect(await inside('grep /mnt/all /proc/mounts')).toMatch(/^\S+ \/mnt\/all .*nosuid,nodev[^\n]*$/);
    await must('remove', 'c1', 'all');
    onHost('umount', join(tree, 'below'));
    onHost('umount', tree);
  });

  test('/dev/kvm, a loop device and others by their numbers', async () => {
    // The container's own rights say nothing: only what was plugged can be opened.
    execFileSync('truncate', ['-s', '1M', join(ground.dir, 'loop.img')]);
    const loop = onHost('losetup', '--find', '--show', join(ground.dir, 'loop.img')).trim();
    try {
      await must('add', 'c1', 'full', 'unix-char', 'path=/dev/mine/full', 'major=1', 'minor=7', 'mode=0600');
      expect(await inside('stat -c "%a %u %t:%T" /dev/mine/full; echo x >/dev/mine/full')).toMatch(
        /^600 0 1:7.*No space left/s,
      );
      makeNode(basename(loop), 'b', '7', loop.replace('/dev/loop', ''));
      await must('add', 'c1', 'loop', 'unix-block', `source=${loop}`, 'path=/dev/disk0');
      expect(await inside('head -c 4 /dev/disk0 | wc -c')).toBe('4');
      if (existsSync('/dev/kvm')) {
        makeNode('kvm', 'c', '10', '232');
        await must('add', 'c1', 'kvm', 'unix-char', 'source=/dev/kvm', 'gid=36');
        expect(await inside('stat -c %g /dev/kvm; exec 3<>/dev/kvm && echo opened')).toBe('36\nopened');
        await must('remove', 'c1', 'kvm');
        expect(await inside('ls /dev/kvm')).toMatch(/No such file/);
      }
      // A node that was kept open by nobody cannot be opened any more, wherever it is.
      await must('remove', 'c1', 'loop');
      await must('remove', 'c1', 'full');
      expect(await inside('ls -A /dev/mine; ls /dev/disk0')).toMatch(/No such file/);
    } finally {
      onHost('losetup', '--detach', loop);
    }
  });

  test('what is not required comes and goes with the device of the host', async () => {
    const there = (path: string, wanted: boolean) =>
      waitFor(
        `${path} to ${wanted ? 'come' : 'go'}`,
        () => inside(`ls ${path}`),
        (text) => text.includes('No such') !== wanted,
      );
    const late = await device('add', 'c1', 'late', 'unix-char', 'source=/dev/late');
    expect(late.stderr).toMatch(/"\/dev\/late" is not a character device/);
    await must('add', 'c1', 'late', 'unix-char', 'source=/dev/late', 'path=/dev/here', 'required=false');
    await must('add', 'c1', 'usb', 'usb', 'vendorid=0403');
    await there('/dev/here', false);
    makeNode('late', 'c', '1', '7');
    await there('/dev/here', true);
    expect(await inside('echo x >/dev/here')).toMatch(/No space left/);
    // A stick is plugged in: the kernel tells of it, and its node is made.
    for (const [name, value] of [
      ['idVendor', '0403'],
      ['idProduct', '6001'],
      ['busnum', '1'],
      ['devnum', '7'],
      ['dev', '1:5'],
    ] as const)
      put(`sys/bus/usb/devices/1-2/${name}`, value);
    mkdirSync(join(hostDir, 'dev/bus/usb/001'), { recursive: true });
    makeNode('bus/usb/001/007', 'c', '1', '5');
    await there('/dev/bus/usb/001/007', true);
    expect(await inside('head -c 3 /dev/bus/usb/001/007 | wc -c')).toBe('3');
    // Also while no daemon looks.
    rmSync(join(hostDir, 'dev/late'));
    await there('/dev/here', false);
    makeNode('late', 'c', '1', '5');
    await ground.server.crash();
    await there('/dev/here', true);
    expect(await inside('head -c 2 /dev/here | wc -c')).toBe('2');
    rmSync(join(hostDir, 'sys'), { recursive: true });
    rmSync(join(hostDir, 'dev/bus'), { recursive: true });
    await there('/dev/bus/usb/001/007', false);
    await must('remove', 'c1', 'late');
    await must('remove', 'c1', 'usb');
    await there('/dev/here', false);
  });

  test('graphics cards, all or one of them', async () => {
    for (const [card, numbers] of [
      ['card0', '1:7'],
      ['card1', '1:5'],
    ] as const) {
      put(`sys/class/drm/${card}/device/vendor`, '0x8086');
      put(`sys/class/drm/${card}/device/uevent`, `PCI_SLOT_NAME=0000:00:0${card.slice(-1)}.0`);
      put(`sys/class/drm/${card}/device/drm/${card}/dev`, numbers);
    }
    await must('add', 'c1', 'gpu', 'gpu', 'pci=00:01.0', 'gid=44', 'mode=0666');
    expect(await inside('ls /dev/dri; stat -c "%t:%T %g %a" /dev/dri/card1')).toBe('card1\n1:5 44 666');
    await must('remove', 'c1', 'gpu');
    await must('add', 'c1', 'gpu', 'gpu');
    expect(await inside('ls /dev/dri')).toBe('card0\ncard1');
    await must('remove', 'c1', 'gpu');
    expect(await inside('ls /dev/dri')).toBe('');
    expect((await device('add', 'c1', 'gpu', 'gpu', 'id=9')).stderr).toMatch(
      /Failed to detect requested GPU/,
    );
    expect((await device('add', 'c1', 'p', 'pci', 'address=00:01.0')).stderr).toMatch(
      /Unsupported device type/,
    );
  });

  test('a NIC comes and goes, with its name and address', async () => {
    await must(
      'add',
      'c1',
      'eth5',
      'nic',
      'name=eth5',
      'nictype=p2p',
      'hwaddr=00:16:3e:12:34:56',
      'host_name=lxdp2p0',
    );
    expect(await inside('cat /sys/class/net/eth5/address')).toBe('00:16:3e:12:34:56');
    expect(onHost('ip', '-br', 'link', 'show', 'lxdp2p0')).toMatch(/lxdp2p0/);
    await must('set', 'c1', 'eth5', 'mtu=1400');
    expect(await inside('cat /sys/class/net/eth5/mtu')).toBe('1400');
    await must('remove', 'c1', 'eth5');
    expect(await inside('ls /sys/class/net/eth5')).toMatch(/No such file/);
    expect(onHost('ip', '-br', 'link')).not.toMatch(/lxdp2p0/);
  });

  test('rates, routes and filters of a NIC are changed while it is used', async () => {
    const host = 'lxdveth7';
    await must(
      'add',
      'c1',
      'eth7',
      'nic',
      'name=eth7',
      'nictype=bridged',
      'parent=lxdbr0',
      `host_name=${host}`,
      'limits.ingress=10Mbit',
    );
    const index = await inside('cat /sys/class/net/eth7/ifindex');
    expect(onHost('tc', 'class', 'show', 'dev', host)).toMatch(/htb 1:10 .*rate 10Mbit/);
    await must('set', 'c1', 'eth7', 'limits.ingress=20Mbit');
    expect(onHost('tc', 'class', 'show', 'dev', host)).toMatch(/rate 20Mbit/);
    await must('set', 'c1', 'eth7', 'limits.egress=5Mbit');
    expect(onHost('tc', 'filter', 'show', 'dev', host, 'ingress')).toMatch(/police|mirred/);
    await must('set', 'c1', 'eth7', 'ipv4.routes=198.51.100.0/24');
    expect(onHost('ip', 'route', 'show', '198.51.100.0/24')).toMatch(/dev lxdbr0/);
    await must('set', 'c1', 'eth7', 'security.mac_filtering=true');
    const hwaddr = await inside('cat /sys/class/net/eth7/address');
    expect(onHost('nft', 'list', 'table', 'bridge', 'lxd-ts')).toMatch(
      new RegExp(`iifname "${host}" ether saddr != ${hwaddr} drop`),
    );
    // All that without an unplug.
    expect(await inside('cat /sys/class/net/eth7/ifindex')).toBe(index);
    await must('unset', 'c1', 'eth7', 'limits.egress');
    expect(onHost('ip', '-br', 'link')).not.toMatch(/^ifb/m);
    await must('remove', 'c1', 'eth7');
    expect(onHost('nft', 'list', 'ruleset')).not.toMatch(/table bridge/);
    expect(onHost('ip', 'route', 'show', '198.51.100.0/24')).toBe('');
  });

  test('a routed NIC is reached by its address', async () => {
    await must(
      'add',
      'c1',
      'eth8',
      'nic',
      'name=eth8',
      'nictype=routed',
      'parent=lxdbr0',
      'ipv4.address=192.0.2.5',
      'ipv4.gateway=none',
    );
    expect(await inside('ip -4 -o address show eth8')).toMatch(/192.0.2.5\/32/);
    expect(onHost('ip', 'route', 'show', '192.0.2.5')).toMatch(/dev veth/);
    expect(onHost('ip', 'neigh', 'show', 'proxy')).toMatch(/192.0.2.5 dev lxdbr0/);
    await inside('ip route add 169.254.0.1 dev eth8');
    expect(onHost('busybox', 'ping', '-c', '1', '-W', '5', '-I', '169.254.0.1', '192.0.2.5')).toMatch(
      /1 packets received/,
    );
    await must('remove', 'c1', 'eth8');
    expect(onHost('ip', 'neigh', 'show', 'proxy')).toBe('');
    expect(onHost('ip', 'route', 'show', '192.0.2.5')).toBe('');
  });

  test('an interface of the host is handed over and given back as it was', async () => {
    onHost(
      'ip',
      'link',
      'add',
      'lxdup0',
      'address',
      '00:16:3e:77:00:01',
      'type',
      'veth',
      'peer',
      'name',
      'lxdup1',
    );
    await must('add', 'c1', 'eth9', 'nic', 'name=eth9', 'nictype=physical', 'parent=lxdup0', 'mtu=1300');
    expect(await inside('cat /sys/class/net/eth9/mtu /sys/class/net/eth9/address')).toBe(
      '1300\n00:16:3e:77:00:01',
    );
    expect(onHost('ip', '-br', 'link')).not.toMatch(/lxdup0@/);
    await must('remove', 'c1', 'eth9');
    expect(onHost('ip', 'link', 'show', 'lxdup0')).toMatch(/mtu 1500[^]*00:16:3e:77:00:01/);
    await must(
      'add',
      'c1',
      'eth9',
      'nic',
      'name=eth9',
      'nictype=macvlan',
      'parent=lxdup0',
      'hwaddr=00:16:3e:77:00:09',
    );
    expect(await inside('cat /sys/class/net/eth9/address')).toBe('00:16:3e:77:00:09');
    await must('remove', 'c1', 'eth9');
    expect(await inside('ls /sys/class/net/eth9')).toMatch(/No such file/);
    onHost('ip', 'link', 'delete', 'lxdup0');
  });

  test('proxies pass connections on, in both directions, and end with their device', async () => {
    const ask = (port: number, text: string) =>
      onHost('sh', '-c', `echo ${text} | busybox nc -w 5 127.0.0.1 ${port}`).trim();
    await inside('nc -ll -p 7000 -e cat >/dev/null 2>&1 &');
    await waitFor(
      'the echo',
      () => inside('echo up | nc -w 2 127.0.0.1 7000'),
      (text) => text === 'up',
    );
    await must('add', 'c1', 'in', 'proxy', 'listen=tcp:127.0.0.1:7100-7101', 'connect=tcp:127.0.0.1:7000');
    expect(ask(7100, 'one')).toBe('one');
    expect(ask(7101, 'two')).toBe('two');
    // Somebody listens there: refused, and nothing is on record.
    const taken = await device(
      'add',
      'c1',
      'again',
      'proxy',
      'listen=tcp:127.0.0.1:7100',
      'connect=tcp:127.0.0.1:7000',
    );
    expect(taken.stderr).toMatch(/Address already in use/);
    expect(await must('list', 'c1')).not.toMatch(/again/);

    const path = join(ground.dir, 'echo.sock');
    await must(
      'add',
      'c1',
      'path',
      'proxy',
      `listen=unix:${path}`,
      'connect=tcp:127.0.0.1:7000',
      'mode=0600',
      'uid=7',
    );
    expect([statSync(path).mode & 0o777, statSync(path).uid]).toEqual([0o600, 7]);
    await must(
      'add',
      'c1',
      'out',
      'proxy',
      'bind=instance',
      'listen=tcp:127.0.0.1:7200',
      `connect=unix:${path}`,
    );
    expect(await inside('echo three | nc -w 5 127.0.0.1 7200')).toBe('three');
    await must(
      'add',
      'c1',
      'back',
      'proxy',
      'bind=instance',
      'listen=unix:/run/host.sock',
      'connect=tcp:127.0.0.1:7100',
      'uid=5',
    );
    expect(await inside('stat -c "%u %F" /run/host.sock')).toBe('5 socket');

    // A daemon that is killed takes none of them along.
    await ground.server.crash();
    await waitFor(
      'the daemon',
      () => client(['list']),
      ({ code }) => code === 0,
    );
    expect(ask(7100, 'four')).toBe('four');
    await must('set', 'c1', 'in', 'listen=tcp:127.0.0.1:7102');
    expect(ask(7102, 'five')).toBe('five');
    for (const name of ['in', 'path', 'out', 'back']) await must('remove', 'c1', name);
    expect(existsSync(path)).toBe(false);
    expect(await inside('ls /run/host.sock')).toMatch(/No such file/);
    expect(
      onHost('ss', '-Hltn')
        .split('\n')
        .filter((line) => /:71\d\d /.test(line)),
    ).toEqual([]);
    await inside('killall nc');
  });

  test('a proxy by NAT has rules of the firewall, and needs a fixed address', async () => {
    const added = (...more: string[]) =>
      device(
        'add',
        'c1',
        'nat',
        'proxy',
        'nat=true',
        'listen=tcp:192.0.2.1:80',
        'connect=tcp:0.0.0.0:80',
        ...more,
      );
    expect((await added()).stderr).toMatch(/no static IPv4 address/);
    const bridge = (await client(['network', 'get', 'lxdbr0', 'ipv4.address'])).stdout.trim();
    const address = bridge.replace(/\d+\/\d+$/, '77');
    await must('override', 'c1', 'eth0', `ipv4.address=${address}`);
    expect((await added()).code).toBe(0);
    expect(onHost('nft', 'list', 'ruleset')).toMatch(
      new RegExp(`chain prert.c1.nat [^}]*ip daddr 192.0.2.1 tcp dport 80 dnat ip to ${address}:80`),
    );
    await must('remove', 'c1', 'nat');
    expect(onHost('nft', 'list', 'ruleset')).not.toMatch(/c1\.nat/);
  });

  test('what was plugged before the daemon was killed can be unplugged after it', async () => {
    const shared = join(ground.dir, 'shared');
    await must('add', 'c1', 'data', 'disk', `source=${shared}`, 'path=/mnt/data');
    await must('add', 'c1', 'full', 'unix-char', 'path=/dev/full2', 'major=1', 'minor=7');
    await must('add', 'c1', 'eth6', 'nic', 'name=eth6', 'nictype=p2p');
    await ground.server.crash();
    await waitFor(
      'the daemon',
      () => client(['list']),
      ({ code }) => code === 0,
    );
    for (const name of ['data', 'full', 'eth6']) await must('remove', 'c1', name);
    expect(await inside('grep -c /mnt/data /proc/mounts; ls /dev/full2 /sys/class/net/eth6')).toMatch(
      /^0\nls: \/dev\/full2: No such.*\nls: \S+eth6: No such/,
    );
    expect(readdirSync(join(ground.server.dir, 'devices/c1'))).toEqual(['run.json']);
  });

  test('what came or went is still so after a reboot from inside', async () => {
    const shared = join(ground.dir, 'shared');
    await must('add', 'c1', 'data', 'disk', `source=${shared}`, 'path=/mnt/data');
    await must('add', 'c1', 'eth6', 'nic', 'name=eth6', 'nictype=p2p');
    await must('add', 'c1', 'in', 'proxy', 'listen=tcp:127.0.0.1:7300', 'connect=tcp:127.0.0.1:7000');
    await inside('touch /dev/before; reboot');
    await waitFor(
      'the devices',
      () => inside('ls /dev/before; cat /mnt/data/file; ls -d /sys/class/net/eth6'),
      (text) => /hello/.test(text) && /eth6$/m.test(text) && /before: No such/.test(text),
    );
    expect(onHost('ss', '-Hltn')).toMatch(/:7300 /);
    for (const name of ['data', 'eth6', 'in']) await must('remove', 'c1', name);
  });

  test('a stop releases what was plugged', async () => {
    const shared = join(ground.dir, 'shared');
    await must('add', 'c1', 'data', 'disk', `source=${shared}`, 'path=/mnt/data');
    await must('add', 'c1', 'full', 'unix-char', 'path=/dev/full2', 'major=1', 'minor=7');
    await must('add', 'c1', 'eth6', 'nic', 'name=eth6', 'nictype=p2p');
    await client(['stop', '-f', 'c1']);
    expect(existsSync(join(ground.server.dir, 'devices/c1'))).toBe(false);
    expect(leftovers(ground.server).filter((line) => /veth|\/devices\//.test(line))).toEqual([]);
    // All of it is there again after a cold start.
    await client(['start', 'c1']);
    expect(await inside('cat /mnt/data/file; ls /dev/full2; ls -d /sys/class/net/eth6')).toMatch(/^hello/);
    for (const name of ['data', 'full', 'eth6']) await must('remove', 'c1', name);
  });
});
