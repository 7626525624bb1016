import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, Result } from '../support/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import type { TestServer } from '../support/server.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

interface Image {
  fingerprint: string;
  cached: boolean;
  public: boolean;
  expires_at: string;
  created_at: string;
  aliases: { name: string }[];
  properties: Record<string, string>;
}

/** `lxd-ts image build FILE.yaml`, on two servers: one with btrfs and a network, one with neither. */
describe('images from documents', () => {
  let ground: Ground;
  let other: TestServer;
  let client: Client;
  let otherClient: Client;
  let dir: string;

  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  const must = async (args: readonly string[], on: Client = client): Promise<string> => {
    const { code, stdout, stderr } = await on(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const build = (document: string, ...flags: string[]): Promise<string> =>
    must(['image', 'build', write('build.yaml', document), ...flags]);
  const refused = async (document: string, ...flags: string[]): Promise<Result> => {
    const result = await client(['image', 'build', write('build.yaml', document), ...flags]);
    expect([result.code, result.stdout]).toEqual([1, expect.any(String)]);
    return result;
  };
  const fingerprintIn = (text: string): string => /fingerprint:? ([0-9a-f]{64})/.exec(text)?.[1] ?? '';
  const images = async (server = ground.server): Promise<Image[]> =>
    (await server.rest.must('GET', '/1.0/images?recursion=1')).metadata as Image[];
  const image = async (fingerprint: string): Promise<Image | undefined> =>
    (await images()).find((one) => one.fingerprint === fingerprint);
  const instances = async (server = ground.server): Promise<string[]> =>
    (await server.rest.must('GET', '/1.0/instances')).metadata as string[];
  const inside = async (name: string, script: string): Promise<string> =>
    must(['exec', name, '--', 'sh', '-c', script]);
  const forget = async (name: string) => {
    await must(['delete', '--force', name]);
  };

  beforeAll(async () => {
    ground = await prepareGround('image-build', (at) => life.start(at));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    other = await startDaemon(join(ground.dir, 'other'));
    otherClient = life.client(other.dir, join(ground.dir, 'other-home'));
    await other.rest.must('POST', '/1.0/storage-pools', { name: 'plain', driver: 'dir' });
    await must(['image', 'import', ground.image.unified, '--alias', 'busybox']);
    await must(['image', 'import', ground.image.unified, '--alias', 'busybox'], otherClient);
    dir = join(ground.dir, 'source');
    mkdirSync(join(dir, 'tree/sub'), { recursive: true });
    writeFileSync(join(dir, 'tree/script'), '#!/bin/sh\necho ran\n', { mode: 0o775 });
    writeFileSync(join(dir, 'tree/sub/data'), 'data\n', { mode: 0o600 });
    // Needs extended headers in a tarball.
    writeFileSync(join(dir, 'tree/sub', `sträng-${'long'.repeat(30)}`), '');
    symlinkSync('/nowhere/../etc/passwd', join(dir, 'tree/link'));
    writeFileSync(join(dir, 'motd.in'), 'version ${vars.version}, $HOME stays\n');
    writeFileSync(join(ground.dir, 'secret'), 'outside\n');
    symlinkSync(join(ground.dir, 'secret'), join(dir, 'escape'));
  });
  afterAll(async () => {
    const left = await other.stopAll();
    await ground.clear();
    expect(left).toEqual([]);
  });
  afterEach(async () => {
    expect(await instances()).toEqual([]);
  });

  const whole = `
image:
  name: whole
  description: All there is
  properties: {os: mine, "1.10": 1.10}
  expiry: 2035-06-01
vars: {version: 1.10, missing: }
from: busybox
files:
  - {path: /srv/tree, source: tree, owner: nobody}
  - {path: /srv/strict, source: tree/sub, mode: "0640", owner: "7:8"}
  - {path: /etc/motd, template: motd.in}
  - {path: /etc/deep/er/inline, content: "\${vars.missing} for \${vars.version}\\n", mode: 0600}
  - {path: /srv/away, target: ../etc/motd}
  - {path: /srv/empty, directory: true, mode: "1777"}
  - {path: /etc/hosts, content: ""}
run:
  - |
    echo "$(hostname) $PWD $(id -u) $SOURCE_DATE_EPOCH $A" >/root/seen
    mkdir -p /var/tmp /var/log/sub /run/sub; head -c 8 /dev/urandom >/var/tmp/noise
    echo now >/var/log/x.log; echo now >/var/log/sub/y; echo now >/run/sub/z; echo now >/tmp/t
    echo 0123456789abcdef0123456789abcdef >/etc/machine-id
    cat /etc/resolv.conf >/root/resolv; ip -4 addr show dev eth0 | grep -c inet >/root/net
    ls /bin /proc/self/exe >/dev/null; printf told
  - {command: [sh, -c, 'echo "$0 $A $B $(id -u):$(id -g) $PWD" >/tmp/who; ! ip addr show dev eth0', "a b"], env: {A: own}, user: nobody, cwd: /srv, network: false}
  - mv /tmp/who /root/who
env: {A: all, B: all}
templates:
  - {path: /etc/made, when: [create], content: "{{ container.name }}\\n"}
cloud-init: true
exclude: [/srv/tree/sub/d*]
`;

  test('has files, commands, templates and nothing of the build in it', async () => {
    const said = await build(whole, '--var', 'missing=x', '--public', '--alias', 'second');
    expect(said).toMatch(/^\[1\/6\] from busybox/m);
    expect(said).toMatch(/^\[3\/6\] run echo .*\ntold\n\[4\/6\]/m);
    const built = await image(fingerprintIn(said));
    expect(built).toMatchObject({
      public: true,
      cached: false,
      created_at: '2023-11-14T22:13:20.000Z',
      expires_at: '2035-06-01T00:00:00.000Z',
      properties: { description: 'All there is', os: 'mine', '1.10': '1.10', release: 'test' },
    });
    expect(built?.aliases.map(({ name }) => name).sort()).toEqual(['second', 'whole']);
    await must(['launch', 'whole', 'c1', '-c', 'user.user-data=#cloud-config\n{a: b}']);
    const script = `cat /etc/motd /etc/deep/er/inline /root/seen /root/who /root/resolv /root/net
cd /srv; stat -c '%n %a %u:%g %F' /etc/deep/er/inline tree tree/script tree/sub strict strict/data empty; readlink away; readlink tree/link; tree/script`;
    expect(await inside('c1', script)).toBe(`version 1.10, $HOME stays
x for 1.10
localhost / 0 1700000000 all
a b own all 65534:65534 /srv
nameserver ${(await must(['network', 'get', 'lxdbr0', 'ipv4.address'])).split('/')[0] ?? ''}
1
/etc/deep/er/inline 600 0:0 regular file
tree 755 65534:65534 directory
tree/script 755 65534:65534 regular file
tree/sub 755 65534:65534 directory
strict 750 7:8 directory
strict/data 640 7:8 regular file
empty 1777 0:0 directory
../etc/motd
/nowhere/../etc/passwd
ran
`);
    expect(await inside('c1', 'cat /etc/made /var/lib/cloud/seed/nocloud-net/user-data')).toBe(
      'c1\n#cloud-config\n{a: b}\n',
    );
    const gone = '/srv/tree/sub/data /var/tmp/noise /var/log/x.log /var/log/sub/y /tmp/t';
    expect(
      await inside(
        'c1',
        `ls -d ${gone} 2>/dev/null; ls -d /var/log/sub; stat -c %s /etc/machine-id /etc/hosts`,
      ),
    ).toBe('/var/log/sub\n0\n0\n');
    await forget('c1');
  });

  test('is the same twice, and on two servers, whatever was there before', async () => {
    const [first] = (await images()).filter(({ aliases }) => aliases.some(({ name }) => name === 'whole'));
    expect(await build(whole, '--var', 'missing=x')).toMatch(/^\[6\/6\] image \(cached\)\nImage built/);
    const again = await build(whole, '--var', 'missing=x', '--no-cache');
    expect(again).toMatch(/\ntold\n/);
    expect(fingerprintIn(again)).toBe(first?.fingerprint);
    // The second has no network: what depends on it is left out there.
    const quiet = whole.replace(/^.*resolv.*\n/m, '');
    const here = fingerprintIn(await build(quiet, '--var', 'missing=x'));
    const file = join(dir, 'build.yaml');
    const there = await must(
      ['image', 'build', file, '--var', 'missing=x', '--quiet', '--output', `${dir}/out.tar.zst`],
      otherClient,
    );
    expect(there).toBe('');
    const digest = execFileSync('sha256sum', [`${dir}/out.tar.zst`], { encoding: 'utf8' }).split(' ')[0];
    expect(digest).toBe(here);
    // It was only to be written, and is no image of that server.
    expect((await images(other)).filter(({ properties }) => properties['build.key'])).toEqual([]);
    expect(await instances(other)).toEqual([]);
    const listed = execFileSync('tar', ['-tvf', `${dir}/out.tar.zst`, '--full-time', '--utc'], {
      encoding: 'utf8',
    });
    const times = [...listed.matchAll(/ (20\d\d-\S+ \S+) /g)].map(([, time]) => time ?? '');
    expect(times.filter((time) => time > '2023-11-14 22:13:20')).toEqual([]);
  });

  const steps = (word: string, description = 'x') => `
image: {description: ${description}}
from: busybox
steps:
  - run: echo one >/root/one; echo RAN-ONE
  - files: [{path: /root/two, source: two}]
  - run:
      - echo ${word} >/root/three; echo RAN-THREE
      - cat /root/one /root/two /root/three; echo RAN-FOUR
`;
  const ran = (text: string): string[] => [...text.matchAll(/^RAN-(\w+)$/gm)].map(([, name]) => name ?? '');

  test('does again what has changed, and what follows', async () => {
    write('two', 'two\n');
    expect(await build(steps('three'), '--dry-run')).toMatch(
      /\[2\/6\] run echo one.*\n {4}to do, key [0-9a-f]{12}\n/,
    );
    expect(ran(await build(steps('three')))).toEqual(['ONE', 'THREE', 'FOUR']);
    expect(ran(await build(steps('three', 'y')))).toEqual([]);
    const changed = await build(steps('drei'));
    expect(ran(changed)).toEqual(['THREE', 'FOUR']);
    expect(changed).toMatch(/^\[3\/6\] files \/root\/two \(cached\)$/m);
    expect(changed).toContain('one\ntwo\ndrei\nRAN-FOUR');
    write('two', 'zwei\n');
    const planned = await build(steps('drei'), '--dry-run');
    expect([...planned.matchAll(/ {4}(cached|to do)/g)].map(([, state]) => state)).toEqual([
      ...['cached', 'cached', 'to do', 'to do', 'to do', 'to do'],
    ]);
    expect(ran(await build(steps('drei')))).toEqual(['THREE', 'FOUR']);
    expect(ran(await build(steps('drei'), '--no-cache'))).toEqual(['ONE', 'THREE', 'FOUR']);
    const kept = (await images()).filter(({ properties }) => properties['build.step']);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.every((one) => one.cached && !one.public)).toBe(true);
  });

  test('a command that fails is told with its step, and leaves nothing but the steps before it', async () => {
    const before = (await images()).length;
    const { stdout, stderr } = await refused(`
from: busybox
run: [echo fine, "echo to-stderr >&2; exit 7", echo never]
`);
    expect(stdout).toMatch(/^\[3\/5\] run echo to-stderr/m);
    expect(stderr).toBe(
      'to-stderr\nError: [3/5] "run echo to-stderr >&2; exit 7" failed with exit status 7\n',
    );
    expect((await images()).length).toBe(before + 1);
    const missing = await refused('from: busybox\nrun: [{command: [not-there]}]\n');
    expect(missing.stderr).toMatch(/failed with exit status 127 \(Command not found\)/);
    expect((await refused('from: busybox\nrun: [{command: ls, user: nobody-here}]\n')).stderr).toMatch(
      /The image has no user "nobody-here"/,
    );
  });

  /** A build that hangs in a command. */
  const hang = async (): Promise<{ child: ReturnType<typeof spawn>; name: string; said: () => string }> => {
    const file = write('build.yaml', 'from: busybox\nrun: echo begun; sleep 1000\n');
    const { argv, environment } = life.spawn(ground.server.dir, join(ground.dir, 'home'), [
      'image',
      'build',
      file,
    ]);
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await waitFor(
      'the command',
      () => Promise.resolve(said),
      (text) => text.includes('\nbegun\n'),
    );
    const [url = ''] = await instances();
    return { child, name: url.split('/').pop() ?? '', said: () => said };
  };

  test('ctrl+c leaves nothing', async () => {
    const { child, name, said } = await hang();
    const { metadata } = await ground.server.rest.must('GET', `/1.0/instances/${name}`);
    expect(name).toMatch(/^build-[0-9a-f]{8}$/);
    expect(metadata).toMatchObject({
      status: 'Running',
      profiles: [],
      config: { 'limits.memory': '2GiB', 'limits.processes': '4096' },
    });
    const over = once(child, 'close');
    child.kill('SIGINT');
    expect(await over).toEqual([1, null]);
    expect(said()).toMatch(/Error: Interrupted/);
    expect(await instances()).toEqual([]);
  });

  test('what a killed build leaves goes by itself when its lease is over', async () => {
    const { child, name } = await hang();
    const over = once(child, 'close');
    child.kill('SIGKILL');
    await over;
    const path = `/1.0/instances/${name}`;
    const { metadata } = await ground.server.rest.must('GET', path);
    const end = Date.parse((metadata as { config: Record<string, string> }).config['lease.expires_at'] ?? '');
    expect((end - Date.now()) / 60_000).toBeGreaterThan(8);
    expect((end - Date.now()) / 60_000).toBeLessThan(11);
    // As if that time had passed.
    await ground.server.rest.must('PATCH', path, { config: { 'lease.expires_at': '2020-01-01T00:00:00Z' } });
    await waitFor(
      'the end of the builder',
      () => instances(),
      (all) => all.length === 0,
      30_000,
    );
  });

  test.each([
    ['pakages: [a]\nfrom: x', /build.yaml:1: pakages: is no field here; did you mean packages\?/],
    ['image: {public: yes}', /:1: image.public: must be true or false, not "yes"\n.*from: is missing/],
    ['from: {debian: bookworm, ubuntu: noble}', /from: has debian and ubuntu: use one of/],
    ['from: busybox\nfiles:\n  - {path: etc/x, content: a}', /:3: files\[0\].path: must be an absolute path/],
    [
      'from: busybox\nfiles:\n  - {path: /x, source: ../secret}',
      /:3: files\[0\].source: must be a path in the directory/,
    ],
    [
      'from: busybox\nfiles: [{path: /x, source: escape}]',
      /files\[0\].source: cannot use "escape": it is a link out of/,
    ],
    [
      'from: busybox\nfiles: [{path: /x, source: none}]',
      /files\[0\].source: cannot use "none": there is no such file/,
    ],
    ['from: busybox\nfiles: [{path: /x, template: motd.in}]', /files\[0\].template: .*variable "version"/],
    ['from: busybox\nrun: echo ${vars.v}', /:2: run: uses the variable "v"/],
    ['from: none-such', /from.image: "none-such" cannot be found/],
    ['from: busybox\nimage: {architecture: s390x}\n', /image.architecture: must be "x86_64"/],
    ['from: busybox\nrun: x\nbuilder: {network: nope}', /builder.network: the server has no network "nope"/],
    ['from: [', /build.yaml:1: not YAML/],
  ])('refuses %j', async (document, message) => {
    expect((await refused(document)).stderr).toMatch(message);
  });

  test('the server checks what it is asked to leave out', async () => {
    for (const [more, error] of [
      [{ exclude: ['/a'] }, /^exclude is only possible with source_date_epoch$/],
      [{ exclude: ['a'], source_date_epoch: 1 }, /^exclude must be a list of absolute paths$/],
      [{ exclude: '/a', source_date_epoch: 1 }, /^exclude: must be a list$/],
      [{ source_date_epoch: '1' }, /^source_date_epoch: must be /],
    ] as const) {
      const body = { source: { type: 'instance', name: 'c1' }, ...more };
      const answer = await ground.server.rest.call('POST', '/1.0/images', body);
      expect([answer.status, answer.error]).toEqual([400, expect.stringMatching(error)]);
    }
  });

  test('refuses flags that do not fit', async () => {
    expect((await refused('from: busybox', '--release', 'x')).stderr).toMatch(
      /--release cannot be used with a document/,
    );
    expect((await refused('from: busybox', '--var', 'x=1')).stderr).toMatch(/no such variable/);
    expect((await client(['image', 'build', '--dry-run'])).stderr).toMatch(/--dry-run needs a document/);
    expect((await client(['image', 'build', join(dir, 'nope.yaml')])).stderr).toMatch(/no such file/);
  });
});
