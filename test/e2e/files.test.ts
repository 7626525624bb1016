import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import type { Answer } from '../support/rest.ts';
import { waitFor } from '../support/wait-for.ts';

let ground: Ground;
let client: Client;

const secret = 'of the host alone';
const url = (name: string, path: string): string =>
  `/1.0/instances/${name}/files?path=${encodeURIComponent(path)}`;
const get = (name: string, path: string): Promise<Answer> => ground.server.rest.send('GET', url(name, path));
const post = (
  name: string,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> => ground.server.rest.send('POST', url(name, path), body, headers);
const remove = (name: string, path: string): Promise<Answer> =>
  ground.server.rest.send('DELETE', url(name, path));

const inside = async (name: string, script: string): Promise<string> => {
  const { stdout, stderr } = await client(['exec', name, '--', 'sh', '-c', script]);
  return stdout + stderr;
};
const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await client(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
};

/** Those that serve files of this server's instances, by their pids. */
const helpers = (): number[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes('lxd-ts-runtime files') && line.includes(`${ground.server.dir}/`);
      } catch {
        return false;
      }
    })
    .map(Number);

const noneLeft = (): Promise<number[]> =>
  waitFor(
    'the end of the last session',
    () => Promise.resolve(helpers()),
    (pids) => pids.length === 0,
  );

beforeAll(async () => {
  ground = await prepareGround('files', (dir) => life.start(dir));
  client = life.client(ground.server.dir, join(ground.dir, 'home'));
  await life.init(ground.server);
  writeFileSync(join(ground.dir, 'secret'), secret);
  await must('image', 'import', ground.image.unified, '--alias', 'busybox');
  await must('init', 'busybox', 'at-rest');
  await must('launch', 'busybox', 'up');
  await must('launch', 'busybox', 'privileged', '-c', 'security.privileged=true');
});
afterAll(async () => {
  await ground.clear();
});

describe.each(['at-rest', 'up', 'privileged'])('the files of %s', (name) => {
  test('are written with an owner and a mode, and keep them', async () => {
    const owner = { 'X-LXD-uid': '5', 'X-LXD-gid': '6', 'X-LXD-mode': '0640' };
    expect(await post(name, '/root/a', 'one', owner)).toMatchObject({ status: 200 });
    expect(await post(name, '/root/a', 'two', { 'X-LXD-uid': '7' })).toMatchObject({ status: 200 });
    const got = await get(name, '/root/a');
    expect(got).toMatchObject({ status: 200, text: 'two' });
    expect(got.headers).toMatchObject({
      'x-lxd-uid': '5',
      'x-lxd-gid': '6',
      'x-lxd-mode': '0640',
      'x-lxd-type': 'file',
      'content-length': '3',
      'content-disposition': 'inline;filename=a',
    });
    await post(name, '/root/a', ' three', { 'X-LXD-write': 'append' });
    expect((await get(name, '/root/a')).text).toBe('two three');
    const looked = await ground.server.rest.send('HEAD', url(name, '/root/a'));
    expect(looked).toMatchObject({ status: 200, text: '', headers: { 'x-lxd-uid': '5' } });
    await remove(name, '/root/a');
    expect(await get(name, '/root/a')).toMatchObject({ status: 404, error: 'Not Found' });
  });

  test('directories and links are made, listed and deleted', async () => {
    const directory = { 'X-LXD-type': 'directory', 'X-LXD-mode': '02750', 'X-LXD-gid': '9' };
    expect(await post(name, '/root/d', '', directory)).toMatchObject({ status: 200 });
    expect(await post(name, '/root/d', '', directory)).toMatchObject({ status: 200 });
    await post(name, '/root/d/b', 'b');
    await post(name, '/root/d/l', '../d/b', { 'X-LXD-type': 'symlink', 'X-LXD-uid': '3' });
    const listed = await get(name, '/root/d');
    expect(listed.metadata).toEqual(['b', 'l']);
    expect(listed.headers).toMatchObject({
      'x-lxd-mode': '02750',
      'x-lxd-type': 'directory',
      'x-lxd-gid': '9',
    });
    const link = await get(name, '/root/d/l');
    expect(link).toMatchObject({ text: '../d/b', headers: { 'x-lxd-type': 'symlink', 'x-lxd-uid': '3' } });
    expect(await post(name, '/root/d/l', 'through')).toMatchObject({ status: 200 });
    expect((await get(name, '/root/d/b')).text).toBe('through');
    expect(await remove(name, '/root/d')).toMatchObject({ status: 500 });
    for (const path of ['/root/d/l', '/root/d/b', '/root/d']) await remove(name, path);
    expect(await get(name, '/root/d')).toMatchObject({ status: 404 });
  });

  test('what makes no sense is refused, and nothing is made', async () => {
    expect(await post(name, '/root/x', '', { 'X-LXD-uid': 'me' })).toMatchObject({ status: 400 });
    expect(await post(name, '/root/x', '', { 'X-LXD-mode': 'rw' })).toMatchObject({ status: 400 });
    expect(await post(name, '/root/x', '', { 'X-LXD-type': 'pipe' })).toMatchObject({ status: 400 });
    expect(await post(name, '/root/x', '', { 'X-LXD-write': 'insert' })).toMatchObject({ status: 400 });
    expect(await post(name, '/root/x', 'more', { 'X-LXD-write': 'append' })).toMatchObject({ status: 404 });
    if (name !== 'privileged') {
      expect(await post(name, '/root/x', '', { 'X-LXD-uid': '4000000000' })).toMatchObject({ status: 400 });
    }
    expect(await get(name, '/root/x')).toMatchObject({ status: 404 });
    expect(await get(name, '')).toMatchObject({ status: 400, error: 'Missing path argument' });
    expect(await get('nobody', '/x')).toMatchObject({ status: 404, error: 'Instance not found' });
  });

  test('no name leads to the host', async () => {
    const host = join(realpathSync(ground.dir), 'secret');
    const up = '/..'.repeat(12);
    await post(name, '/root/up', `${up.slice(1)}${ground.dir}`, { 'X-LXD-type': 'symlink' });
    await post(name, '/root/abs', ground.dir, { 'X-LXD-type': 'symlink' });
    await post(name, '/root/new', join(ground.dir, 'planted'), { 'X-LXD-type': 'symlink' });
    for (const path of [host, `${up}${host}`, '/root/up/secret', '/root/abs/secret']) {
      const { status, text } = await get(name, path);
      expect([path, status, text.includes(secret)]).toEqual([path, 404, false]);
    }
    for (const path of ['/root/up/planted', '/root/abs/planted', '/root/new', `${up}${ground.dir}/planted`])
      expect([path, (await post(name, path, 'x')).status]).toEqual([path, 404]);
    expect(await remove(name, '/root/abs/secret')).toMatchObject({ status: 404 });
    expect(readdirSync(ground.dir)).not.toContain('planted');
    expect(readFileSync(host, 'utf8')).toBe(secret);
    for (const path of ['/root/up', '/root/abs', '/root/new']) await remove(name, path);
  });

  test('devices, FIFOs and sockets are not opened', async () => {
    const rootfs = join(ground.server.dir, 'containers', name, 'rootfs/root');
    const there = (...argv: string[]) =>
      execFileSync('nsenter', ['-t', String(ground.server.pid), '-m', '--', ...argv]);
    there('mknod', join(rootfs, 'disk'), 'b', '7', '0');
    there('mknod', join(rootfs, 'zero'), 'c', '1', '5');
    there('mkfifo', join(rootfs, 'fifo'));
    for (const node of ['disk', 'zero', 'fifo']) {
      const path = `/root/${node}`;
      expect([path, (await get(name, path)).status]).toEqual([path, 400]);
      expect([path, (await post(name, path, 'x')).status]).toEqual([path, 500]);
      await post(name, '/root/to', path, { 'X-LXD-type': 'symlink' });
      expect([path, (await post(name, '/root/to', 'x')).status]).toEqual([path, 500]);
      await remove(name, '/root/to');
      expect(await remove(name, path)).toMatchObject({ status: 200 });
    }
  });
});

test('who serves them has no rights of the host, and is nobody that the instance can see', async () => {
  await noneLeft();
  await get('up', '/etc/passwd');
  const [pid = 0, ...others] = helpers();
  expect(others).toEqual([]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\t1000000\t1000000\t1000000\t1000000$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  // chown, dac_override, dac_read_search, fowner, fsetid
  expect(status).toMatch(/^CapEff:\t000000000000001f$/m);
  expect(status).toMatch(/^CapBnd:\t0000000000000000$/m);
  expect(await inside('up', 'cat /proc/[0-9]*/comm')).not.toContain('lxd-ts');
  await noneLeft();
});

test('what somebody inside exchanges all the time never leads out', async () => {
  mkdirSync(join(ground.dir, 'target'));
  writeFileSync(join(ground.dir, 'target/file'), secret);
  const leading = `/..${'/..'.repeat(12)}${ground.dir}/target`.slice(1);
  const swap = `mkdir -p /root/race/real; cd /root/race; echo inside > real/file; ln -s ${leading} out
    ln -s /dev/zero zero; ln -s real now; mkfifo pipe
    while [ ! -e /root/race/stop ]; do
      ln -sfn out now; ln -sfn real now; rm -f node; ln -s zero node; rm -f node; mkfifo node; rm -f node; echo x > node
    done`;
  const racing = inside('up', swap);
  await waitFor(
    'the race',
    () => get('up', '/root/race/now/file'),
    ({ status }) => status === 200 || status === 404,
  );
  const seen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const [read, written, node] = await Promise.all([
      get('up', '/root/race/now/file'),
      post('up', '/root/race/now/new', 'x'),
      post('up', '/root/race/node', 'y'),
    ]);
    if (read.status === 200) seen.add(read.text);
    expect([200, 404, 500]).toContain(written.status);
    expect([200, 400, 403, 404, 500]).toContain(node.status);
  }
  await post('up', '/root/race/stop', '');
  await racing;
  expect([...seen].filter((text) => text.includes(secret))).toEqual([]);
  expect(seen.size).toBeGreaterThan(0);
  expect(readdirSync(join(ground.dir, 'target'))).toEqual(['file']);
});

/** SFTP at the endpoint, opened as far as the other side's greeting. */
async function openSftp(name: string): Promise<Socket> {
  const socket = connect(join(ground.server.dir, 'unix.socket'));
  socket.on('error', () => undefined);
  socket.write(
    `GET /1.0/instances/${name}/sftp HTTP/1.1\r\nHost: x\r\nUpgrade: sftp\r\nConnection: Upgrade\r\n\r\n`,
  );
  let said = Buffer.alloc(0);
  await new Promise<void>((done, fail) => {
    socket.once('close', () => fail(new Error(`closed after: ${said.toString()}`)));
    socket.on('data', (data: Buffer) => {
      said = Buffer.concat([said, data]);
      if (said.includes('\r\n\r\n') && !said.includes('hardlink')) socket.write('\0\0\0\x05\x01\0\0\0\x03');
      if (said.includes('hardlink@openssh.com')) done();
    });
  });
  expect(said.toString('latin1')).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\nUpgrade: sftp\r\n/);
  return socket;
}

test('templates of an image write nothing outside of it, and read nothing of the host', async () => {
  const outside = join(ground.dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'theirs'), secret);
  await must('init', 'busybox', 'made');
  const volume = join(ground.server.dir, 'storage-pools/default/containers/made');
  const onHost = (script: string) =>
    execFileSync('nsenter', ['-t', String(ground.server.pid), '-m', '--', 'sh', '-ec', script]);
  // As its author may have packed it.
  onHost(`mkdir -p ${volume}/templates
    ln -s ${outside}/theirs ${volume}/templates/theirs.tpl; printf mine >${volume}/templates/mine.tpl
    cd ${volume}/rootfs; ln -s ${outside} link; ln -s ../../../../../..${outside}/theirs up; mknod node c 1 3; mkfifo fifo`);
  const template = (name: string) => ({
    when: ['start'],
    create_only: false,
    template: name,
    properties: {},
  });
  const started = async (path: string, name = 'mine.tpl') => {
    const templates = { [path]: template(name) };
    await ground.server.rest.must('PUT', '/1.0/instances/made/metadata', {
      architecture: 'x86_64',
      templates,
    });
    const { code, stderr } = await client(['start', 'made']);
    await client(['stop', '-f', 'made']);
    return code === 0 ? '' : stderr;
  };
  await started('/link/new');
  await started('/up');
  await started('/../../../../../../../../etc/by-template');
  expect(readdirSync(outside)).toEqual(['theirs']);
  expect(readFileSync(join(outside, 'theirs'), 'utf8')).toBe(secret);
  expect(existsSync('/etc/by-template')).toBe(false);
  expect((await get('made', '/etc/by-template')).text).toBe('mine');
  expect(await started('/node')).toMatch(/template of "\/node": it is there, and no file/);
  expect(await started('/fifo')).toMatch(/template of "\/fifo": it is there, and no file/);
  expect(await started('/etc/stolen', 'theirs.tpl')).toMatch(/Template "theirs.tpl" not found/);
  expect(await started('/etc/stolen', '../metadata.yaml')).toMatch(/Invalid template filename/);
  expect((await get('made', '/etc/stolen')).status).toBe(404);
  await must('delete', 'made');
});

test('a rebuild leaves nothing of the files, and all of what was configured', async () => {
  await must('launch', 'busybox', 'anew', '-c', 'user.colour=blue');
  await inside('anew', 'echo old >/root/old');
  const refused = await client(['rebuild', 'busybox', 'anew']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('must be stopped')]);
  await must('rebuild', 'busybox', 'anew', '--force');
  expect(await inside('anew', 'ls /root; cat /proc/1/comm')).toBe('init\n');
  expect(await must('config', 'get', 'anew', 'user.colour')).toBe('blue\n');
  await client(['stop', '-f', 'anew']);
  await must('rebuild', '--empty', 'anew');
  expect((await get('anew', '/bin')).status).toBe(404);
  const { code } = await client(['rebuild', 'nope', 'anew']);
  expect(code).toBe(1);
  await must('delete', 'anew');
});

test('a session ends with its client, and when the instance starts, stops or goes', async () => {
  await noneLeft();
  const first = await openSftp('at-rest');
  expect(helpers()).toHaveLength(1);
  first.destroy();
  await noneLeft();

  const changes: readonly (readonly string[])[] = [
    ['start', 'at-rest'],
    ['stop', 'at-rest', '--force'],
    ['snapshot', 'at-rest', 'snap'],
    ['restore', 'at-rest', 'snap'],
    ['rename', 'at-rest', 'renamed'],
    ['delete', 'renamed'],
  ];
  for (const change of changes) {
    const socket = await openSftp(change[1] ?? '');
    const closed = once(socket, 'close');
    await must(...change);
    // Of a snapshot nobody is told.
    if (change[0] === 'snapshot') socket.destroy();
    await closed;
    await noneLeft();
  }
  await must('init', 'busybox', 'at-rest');
});

test('a reader that is slow slows down what it reads, and is not served from memory', async () => {
  const { pid } = ground.server;
  await inside('up', 'head -c 300M /dev/zero > /root/slow');
  mostUsed(pid);
  const before = mostUsed(pid);
  const pull = request({
    socketPath: join(ground.server.dir, 'unix.socket'),
    path: url('up', '/root/slow'),
  }).end();
  const [response] = (await once(pull, 'response')) as [IncomingMessage];
  response.pause();
  // Another request goes through meanwhile, in the same session.
  for (let i = 0; i < 20; i++) expect(await get('up', '/etc/passwd')).toMatchObject({ status: 200 });
  expect(mostUsed(pid)).toBeLessThan(before + 100);
  response.destroy();
  await noneLeft();
  await remove('up', '/root/slow');
});

test('a frozen instance gives its files too', async () => {
  await must('pause', 'up');
  expect(await get('up', '/etc/passwd')).toMatchObject({ status: 200 });
  await must('start', 'up');
});

/** What a process has used at most since it was last asked, in MiB. */
function mostUsed(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return Number(peak) / 1024;
}

test('1 GiB goes in and out without being held in memory', async () => {
  const piece = Buffer.alloc(1024 * 1024);
  const sent = createHash('sha256');
  const pieces = function* () {
    for (let i = 0; i < 1024; i++) {
      piece.writeUInt32LE(i, i);
      sent.update(piece);
      yield Buffer.from(piece);
    }
  };
  const socketPath = join(ground.server.dir, 'unix.socket');
  const { pid } = ground.server;
  mostUsed(pid);
  const before = mostUsed(pid);
  const push = request({ socketPath, method: 'POST', path: url('up', '/root/big') });
  const answered = once(push, 'response');
  await pipeline(Readable.from(pieces()), push);
  const [answer] = (await answered) as [{ statusCode: number; resume(): void }];
  answer.resume();
  expect(answer.statusCode).toBe(200);
  const pushing = mostUsed(pid);
  const helper = mostUsed(helpers()[0] ?? 0);

  const pull = request({ socketPath, path: url('up', '/root/big') }).end();
  const [response] = (await once(pull, 'response')) as [AsyncIterable<Buffer>];
  const got = createHash('sha256');
  for await (const data of response) got.update(data);
  expect(got.digest('hex')).toBe(sent.digest('hex'));
  const pulling = mostUsed(pid);
  console.info(
    `memory of the daemon, MiB: before ${before.toFixed()}, pushing ${pushing.toFixed()}, pulling ${pulling.toFixed()}; of the helper ${helper.toFixed()}`,
  );
  // Far from 1 GiB is what matters; how far is the garbage collector's business.
  expect(Math.max(pushing, pulling)).toBeLessThan(before + 400);
  expect(helper).toBeLessThan(32);
  await remove('up', '/root/big');
}, 300_000);

test('a client that dies in the middle leaves nobody behind', async () => {
  const socketPath = join(ground.server.dir, 'unix.socket');
  const push = request({ socketPath, method: 'POST', path: url('up', '/root/half') });
  push.on('error', () => undefined);
  push.write(Buffer.alloc(1024));
  await waitFor(
    'the first bytes',
    () => get('up', '/root/half'),
    ({ status }) => status === 200,
  );
  push.destroy();
  await noneLeft();
  await remove('up', '/root/half');
});

test('a daemon that is killed leaves nobody behind', async () => {
  await noneLeft();
  await openSftp('up');
  expect(helpers()).toHaveLength(1);
  await ground.server.crash();
  await noneLeft();
  expect(await get('up', '/etc/passwd')).toMatchObject({ status: 200 });
});

describe('the command line', () => {
  test('pushes and pulls a tree as it is', async () => {
    const tree = join(ground.dir, 'tree');
    mkdirSync(join(tree, 'sub/empty'), { recursive: true });
    writeFileSync(join(tree, 'a file'), 'a', { mode: 0o640 });
    writeFileSync(join(tree, 'sub/run'), '#!/bin/sh\necho ran\n', { mode: 0o755 });
    symlinkSync('../a file', join(tree, 'sub/link'));
    await must('file', 'push', '-rp', tree, 'up/srv/new');
    expect(await inside('up', '/srv/new/tree/sub/run; cat /srv/new/tree/sub/link')).toBe('ran\na');
    const back = join(ground.dir, 'back');
    await must('file', 'pull', '-r', 'up/srv/new/tree', back);
    expect(execFileSync('diff', ['-r', '--no-dereference', tree, join(back, 'tree')]).toString()).toBe('');
    expect(lstatSync(join(back, 'tree/a file')).mode & 0o777).toBe(0o640);
  });

  test('takes stdin, gives stdout, edits and deletes', async () => {
    const pushed = await client(['file', 'push', '-', 'up/root/in', '--mode', '0600', '--uid', '4'], {
      input: 'x\n',
    });
    expect(pushed).toMatchObject({ code: 0 });
    expect(await must('file', 'pull', 'up/root/in', '-')).toBe('x\n');
    expect(await client(['file', 'edit', 'up/root/in'], { input: 'y\n' })).toMatchObject({ code: 0 });
    expect(await inside('up', 'cat /root/in; stat -c %a:%u /root/in')).toBe('y\n600:4\n');
    await must('file', 'delete', 'up/root/in');
    expect(await client(['file', 'delete', 'up/root/in'])).toMatchObject({
      code: 1,
      stderr: 'Error: Not Found\n',
    });
  });

  test('follows no link of the instance on this machine', async () => {
    const into = join(ground.dir, 'pulled');
    mkdirSync(join(into, 'd'), { recursive: true });
    // As if it had been pulled a moment ago, and a directory of that name is there now.
    symlinkSync(ground.dir, join(into, 'd/x'));
    await must('file', 'push', '-p', join(ground.dir, 'secret'), 'up/root/d/x/planted');
    expect(await client(['file', 'pull', '-r', 'up/root/d', into])).toMatchObject({ code: 1 });
    expect(existsSync(join(ground.dir, 'planted'))).toBe(false);
  });
});
