import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../base/run-tool.ts';

const networkFile = `[Match]
Name=eth0

[Network]
DHCP=yes
IPv6AcceptRA=yes

[DHCPv4]
ClientIdentifier=mac
UseDomains=yes
UseHostname=no

[IPv6AcceptRA]
UseDomains=yes
`;

const hostsFile = `127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
`;

const enabled = ['systemd-networkd.service', 'systemd-resolved.service'];

/** What an unprivileged container may not do: a unit that fails would leave systemd "degraded". */
const masked = [
  'dev-hugepages.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'sys-kernel-config.mount',
  'sys-fs-fuse-connections.mount',
  'proc-sys-fs-binfmt_misc.automount',
  'systemd-binfmt.service',
  'systemd-modules-load.service',
  'systemd-journald-audit.socket',
  'systemd-networkd-wait-online.service',
];

/** Makes a fresh installation into what every container may start from: no identity, network over DHCP. */
export async function prepareRootfs(rootfs: string): Promise<void> {
  const at = (path: string): string => join(rootfs, path);
  await writeFile(at('etc/systemd/network/10-eth0.network'), networkFile);
  await writeFile(at('etc/hosts'), hostsFile);
  // Empty: systemd makes one up at the first start. No hostname: the container's own stays.
  await writeFile(at('etc/machine-id'), '');
  for (const path of [
    'etc/hostname',
    'var/lib/dbus/machine-id',
    'etc/resolv.conf',
    'etc/apt/apt.conf.d/99mmdebstrap',
  ]) {
    await rm(at(path), { force: true });
  }
  await symlink('/run/systemd/resolve/stub-resolv.conf', at('etc/resolv.conf'));
  await runTool('chroot', [rootfs, 'systemctl', 'enable', ...enabled]);
  await runTool('chroot', [rootfs, 'systemctl', 'mask', ...masked]);
}
