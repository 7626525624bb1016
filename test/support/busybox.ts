import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const inittab = `::sysinit:/bin/mount -o remount,rw /
::respawn:/bin/sleep 100000
console::askfirst:/bin/sh
::ctrlaltdel:/bin/reboot
::shutdown:/bin/true
`;

/** A tiny root filesystem that boots busybox's init, for tests that are not about a distribution. */
export function makeBusyboxRootfs(rootfs: string): void {
  for (const dir of [
    'bin',
    'sbin',
    'dev',
    'proc',
    'sys',
    'etc',
    'root',
    'tmp',
    'run',
    'var/lib/misc',
    'usr/share/udhcpc',
  ]) {
    mkdirSync(join(rootfs, dir), { recursive: true });
  }
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  const busybox = join(rootfs, 'bin/busybox');
  copyFileSync('/bin/busybox', busybox);
  chmodSync(busybox, 0o755);
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).split('\n');
  for (const applet of applets) {
    // busybox lists itself, too.
    if (applet && applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet));
  }
  symlinkSync('../bin/busybox', join(rootfs, 'sbin/init'));
  writeFileSync(join(rootfs, 'etc/inittab'), inittab);
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n',
  );
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  writeFileSync(
    join(rootfs, 'usr/share/udhcpc/default.script'),
    `#!/bin/sh
case $1 in
deconfig) ip addr flush dev "$interface"; ip link set "$interface" up ;;
bound|renew)
  ip addr add "$ip/$mask" dev "$interface" 2>/dev/null
  [ -z "$router" ] || ip route replace default via "$router"
  { [ -z "$domain" ] || echo "search $domain"; for s in $dns; do echo "nameserver $s"; done; } >/etc/resolv.conf ;;
esac
`,
    { mode: 0o755 },
  );
  if (readlinkSync(join(rootfs, 'sbin/init')) !== '../bin/busybox') throw new Error('init was not made');
}

export interface BusyboxImage {
  /** metadata.yaml and rootfs in one archive. */
  unified: string;
  /** The split form: metadata.yaml alone, and the tree alone. */
  metadata: string;
  rootfs: string;
}

/** An image whose instances ask for an address by DHCP with their own name. */
export function makeBusyboxImage(dir: string): BusyboxImage {
  const tree = join(dir, 'tree');
  mkdirSync(tree, { recursive: true });
  makeBusyboxRootfs(join(tree, 'rootfs'));
  // The host name is known only inside.
  const dhcp = `#!/bin/sh
exec udhcpc -f -t 20 -T 1 -i eth0 -s /usr/share/udhcpc/default.script -x "hostname:$(hostname)" >/dev/null 2>&1
`;
  writeFileSync(join(tree, 'rootfs/sbin/dhcp'), dhcp, { mode: 0o755 });
  writeFileSync(
    join(tree, 'rootfs/etc/inittab'),
    inittab.replace('::respawn', '::respawn:/sbin/dhcp\n::respawn'),
  );
  writeFileSync(
    join(tree, 'metadata.yaml'),
    `architecture: x86_64
creation_date: 1700000000
properties:
  architecture: x86_64
  description: Busybox for tests
  os: busybox
  release: test
`,
  );
  const image: BusyboxImage = {
    unified: join(dir, 'unified.tar.gz'),
    metadata: join(dir, 'metadata.tar.gz'),
    rootfs: join(dir, 'rootfs.tar.gz'),
  };
  // The same bytes every time: fingerprints can be compared.
  const tar = (...args: string[]) =>
    execFileSync('tar', ['--sort=name', '--mtime=@1700000000', '--use-compress-program=gzip -n1', ...args]);
  tar('-cf', image.unified, '-C', tree, 'metadata.yaml', 'rootfs');
  tar('-cf', image.metadata, '-C', tree, 'metadata.yaml');
  tar('-cf', image.rootfs, '-C', join(tree, 'rootfs'), '.');
  rmSync(tree, { recursive: true });
  return image;
}
