import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const run = (...[program, ...args]: [string, ...string[]]): string =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

/** Everything a file can be and bear, in a directory that is there. */
export async function makeOddTree(directory: string): Promise<void> {
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('rootfs/etc'), { recursive: true });
  mkdirSync(at('rootfs/var/empty'), { recursive: true });
  writeFileSync(at('metadata.yaml'), 'architecture: x86_64\n');
  writeFileSync(at('rootfs/etc/hostname'), 'odd\n');
  linkSync(at('rootfs/etc/hostname'), at('rootfs/etc/hostname.again'));
  symlinkSync('/etc/hostname', at('rootfs/etc/absolute'));
  symlinkSync('nowhere', at('rootfs/etc/dangling'));
  writeFileSync(at('rootfs/etc/of others'), 'x');
  chownSync(at('rootfs/etc/of others'), 1000, 4_000_000);
  writeFileSync(at('rootfs/etc/setuid'), 'x');
  chownSync(at('rootfs/etc/setuid'), 5, 6);
  chmodSync(at('rootfs/etc/setuid'), 0o6755);
  writeFileSync(at('rootfs/etc/\n strange "name" \\ é'), 'x');
  writeFileSync(at('rootfs/etc/secret'), 'x', { mode: 0o000 });
  chmodSync(at('rootfs/var/empty'), 0o1777);
  run('mknod', at('rootfs/var/null'), 'c', '1', '3');
  run('mknod', at('rootfs/var/loop'), 'b', '7', '0');
  run('mkfifo', at('rootfs/var/fifo'));
  writeFileSync(at('rootfs/var/attributes'), 'x');
  const xattrs =
    "import os,sys; os.setxattr(sys.argv[1], 'user.colour', b'blue\\0green'); os.setxattr(sys.argv[1], 'security.capability', bytes.fromhex('0100000200040000000000000000000000000000'))";
  run('python3', '-c', xattrs, at('rootfs/var/attributes'));
  const sparse = openSync(at('rootfs/var/sparse'), 'w');
  ftruncateSync(sparse, 64 * 1024 * 1024);
  writeSync(sparse, 'in the middle', 32 * 1024 * 1024);
  closeSync(sparse);
  writeFileSync(at('rootfs/var/large'), Buffer.alloc(3 * 1024 * 1024, 'lxd-ts'));
  lutimesSync(at('rootfs/etc/absolute'), 1_600_000_000, 1_600_000_000);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(at('rootfs/var/socket'), resolve));
  // The socket's file is removed with its server: it is the copy that stays.
  run('cp', '-a', at('rootfs/var/socket'), at('rootfs/var/socket.kept'));
  await new Promise((resolve) => server.close(resolve));
}

/** How two trees differ, byte by byte, with ids, modes, times, links, ACLs and attributes: empty when they do not. */
export function differences(one: string, other: string): string {
  const listed = run(
    'rsync',
    '-naHAX',
    '--checksum',
    '--delete',
    '--numeric-ids',
    '-i',
    `${one}/`,
    `${other}/`,
  );
  // Only root's own directory differs while a volume is being made.
  return listed
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith(' ./'))
    .join('\n');
}
