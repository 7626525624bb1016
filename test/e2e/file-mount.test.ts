import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../support/client.ts';
import { freePort } from '../support/free-port.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { waitFor } from '../support/wait-for.ts';

/** `lxd-ts file mount`. */
describe('files on this machine', () => {
  let ground: Ground;
  let client: Client;

  const inside = async (name: string, script: string): Promise<string> =>
    (await client(['exec', name, '--', 'sh', '-c', script])).stdout;

  beforeAll(async () => {
    ground = await prepareGround('file-mount', (dir) => life.start(dir));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await client(['image', 'import', ground.image.unified, '--alias', 'busybox']);
    expect(await client(['launch', 'busybox', 'c1'])).toMatchObject({ code: 0 });
  });
  afterAll(() => ground.clear());

  const mounting = existsSync('/usr/bin/sshfs') && existsSync('/dev/fuse') ? test : test.skip;
  mounting('mounts', async () => {
    const at = join(ground.dir, 'mounted');
    mkdirSync(at);
    const mounted = client(['file', 'mount', 'c1/etc', at]);
    await waitFor(
      'the mount',
      () => Promise.resolve(existsSync(join(at, 'passwd'))),
      (there) => there,
    );
    writeFileSync(join(at, 'made'), 'outside');
    expect(await inside('c1', 'cat /etc/made')).toBe('outside');
    execFileSync('umount', [at]);
    expect(await mounted).toMatchObject({ code: 0 });
  });

  test('serves them by SFTP over SSH, for who knows the password', async () => {
    const port = await freePort();
    const argv = ['file', 'mount', 'c1', '--listen', `127.0.0.1:${port}`, '--auth-user', 'joe'];
    const how = life.spawn(ground.server.dir, join(ground.dir, 'home'), argv);
    const [program = '', ...args] = how.argv;
    const server = spawn(program, args, {
      env: { ...process.env, ...how.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(server, 'exit');
    let said = '';
    server.stdout.on('data', (data: Buffer) => (said += data.toString()));
    await waitFor(
      'the password',
      () => Promise.resolve(said),
      (text) => text.includes('password'),
    );
    expect(said).toContain(`127.0.0.1:${port}`);
    const known = /User "joe", password "(\S+)"/.exec(said)?.[1] ?? '';
    const asked = join(ground.dir, 'askpass');
    writeFileSync(asked, '#!/bin/sh\necho "$WORD"\n', { mode: 0o755 });
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'NumberOfPasswordPrompts=1'];
    const sftp = (word: string, batch: string) =>
      spawnSync('sftp', [...options.flatMap((one) => ['-o', one]), '-P', String(port), 'joe@127.0.0.1'], {
        input: batch,
        encoding: 'utf8',
        env: { ...process.env, WORD: word, SSH_ASKPASS: asked, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'x' },
      });
    const local = join(ground.dir, 'over-ssh');
    writeFileSync(local, 'x'.repeat(1_000_000));
    expect(sftp(known, `put ${local} /root/over-ssh\n`).status).toBe(0);
    expect(await inside('c1', 'wc -c </root/over-ssh')).toBe('1000000\n');
    expect(sftp(known, `get /root/over-ssh ${local}.back\n`).status).toBe(0);
    expect(readFileSync(`${local}.back`)).toEqual(readFileSync(local));
    expect(sftp('guessed', 'ls\n')).toMatchObject({ status: 255 });
    server.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});
