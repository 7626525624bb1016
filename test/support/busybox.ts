import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
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
