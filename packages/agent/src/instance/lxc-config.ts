import { isTrue, LxdError, type InstanceSpec } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';
import { idmapLines, idmapOf } from './idmap.ts';
import { interceptPolicy, interceptSocket } from './intercept.ts';
import { cgroupItems, kernelItems, type CgroupSetting, type HostCapacity } from './limits.ts';
import type { InstancePaths } from './paths.ts';
import { nvidiaItems } from './prerequisites.ts';

/** What this host can give a container. */
export interface HostFeatures extends HostCapacity {
  apparmor: boolean;
  /** Files under lxcfs that stand in for those of /proc and /sys, relative to its mount point. */
  lxcfs: { mountPoint: string; files: readonly string[] };
  /** Optional host paths that exist, among `bindCandidates`. */
  binds: readonly string[];
}

export interface LxcConfigInput {
  /** The daemon's directory. */
  dir: string;
  spec: InstanceSpec;
  paths: InstancePaths;
  rootfs: string;
  /** There its files show with the host's ids already. */
  mapped?: boolean;
  host: HostFeatures;
  /** Cgroup names of the monitor and of what runs inside, unique on this host. */
  cgroups: { monitor: string; payload: string; pivot: string };
  /** What it sees as `/dev/lxd`. */
  devlxd: string;
  /** Files of its cgroup and what is in them. */
  limits: readonly Pick<CgroupSetting, 'file' | 'value'>[];
  /** From the device drivers, in order; `{index}` stands for the NIC's number. */
  devices: readonly (readonly LxcItem[])[];
  /** Of an instance without an init system. */
  app?: readonly LxcItem[];
}

/** Host paths every container may use where they exist: harmless nodes and kernel filesystems. */
export const bindCandidates = [
  '/dev/fuse',
  '/dev/net/tun',
  '/proc/sys/fs/binfmt_misc',
  '/sys/kernel/debug',
  '/sys/kernel/security',
  '/sys/kernel/tracing',
];

/** Character devices by major:minor that any container gets. */
export const allowedDevices = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm', // null
  'c 1:5 rwm', // zero
  'c 1:7 rwm', // full
  'c 1:8 rwm', // random
  'c 1:9 rwm', // urandom
  'c 5:0 rwm', // tty
  'c 5:1 rwm', // console
  'c 5:2 rwm', // ptmx
  'c 10:229 rwm', // fuse
  'c 10:200 rwm', // tun
  'c 136:* rwm', // pts
];

/** A line of a file cannot be smuggled in by a value. */
function checked(items: readonly LxcItem[]): readonly LxcItem[] {
  for (const [key, value] of items) {
    if (/[\r\n\0]/.test(key + value)) {
      throw new LxdError('invalid', `"${key}" has a line break in its value`);
    }
  }
  return items;
}

function security({ dir, spec, paths, mapped, host, devlxd }: LxcConfigInput): LxcItem[] {
  const privileged = isTrue(spec.config['security.privileged']);
  const idmap = idmapOf(spec.config);
  return [
    ...idmapLines(idmap).map((line): LxcItem => ['lxc.idmap', line]),
    ...(idmap.length > 0 && !mapped ? [['lxc.rootfs.options', 'idmap=container'] as LxcItem] : []),
    ['lxc.seccomp.profile', paths.seccomp],
    ...(interceptPolicy(spec.config).length > 0
      ? [['lxc.seccomp.notify.proxy', `unix:${interceptSocket(dir, devlxd)}`] as LxcItem]
      : []),
    // In a user namespace these act on nothing of the host's; without one they would.
    [
      'lxc.cap.drop',
      privileged
        ? 'mac_admin mac_override sys_time sys_module sys_rawio'
        : 'sys_time sys_module sys_rawio mac_admin mac_override',
    ],
    ...(host.apparmor
      ? ([
          ['lxc.apparmor.profile', 'generated'],
          ['lxc.apparmor.allow_nesting', isTrue(spec.config['security.nesting']) ? '1' : '0'],
          ...(spec.config['raw.apparmor'] ?? '')
            .split('\n')
            .filter((line) => line.trim())
            .map((line): LxcItem => ['lxc.apparmor.raw', line]),
        ] as LxcItem[])
      : []),
  ];
}

function mounts({ spec, host, devlxd }: LxcConfigInput): LxcItem[] {
  const { mountPoint, files } = host.lxcfs;
  const nesting = isTrue(spec.config['security.nesting']);
  return [
    // A read-only /sys but for its network part: what needs more is refused in a user namespace anyway, and no udev starts in vain.
    ['lxc.mount.auto', `proc:rw sys:${nesting ? 'rw' : 'mixed'} cgroup:rw:force`],
    ['lxc.mount.entry', `${devlxd} dev/lxd none bind,create=dir 0 0`],
    ['lxc.mount.entry', 'mqueue dev/mqueue mqueue rw,relatime,create=dir,optional 0 0'],
    ...files.map((file): LxcItem => [
      'lxc.mount.entry',
      `${mountPoint}/${file} ${file} none bind,optional 0 0`,
    ]),
    ...host.binds.map((path): LxcItem => {
      const target = path.slice(1);
      const kind = path.startsWith('/dev/') ? 'create=file,' : 'r';
      return ['lxc.mount.entry', `${path} ${target} none ${kind}bind,optional 0 0`];
    }),
    ...(nesting
      ? ([
          ['lxc.mount.entry', 'proc dev/.lxc/proc proc create=dir,optional 0 0'],
          ['lxc.mount.entry', 'sys dev/.lxc/sys sysfs create=dir,optional 0 0'],
        ] as LxcItem[])
      : []),
  ];
}

function cgroup({ spec, host, cgroups, limits }: LxcConfigInput): LxcItem[] {
  const devices = `lxc.cgroup${host.cgroup === 'v2' ? '2' : ''}.devices`;
  return [
    ['lxc.cgroup.dir.monitor', cgroups.monitor],
    ['lxc.cgroup.dir.container', cgroups.payload],
    ['lxc.cgroup.dir.monitor.pivot', cgroups.pivot],
    [`${devices}.deny`, 'a'],
    ...allowedDevices.map((rule): LxcItem => [`${devices}.allow`, rule]),
    ...cgroupItems(limits, host),
    ...kernelItems(spec.config),
  ];
}

function deviceItems(devices: LxcConfigInput['devices']): LxcItem[] {
  let index = 0;
  return devices.flatMap((items) => {
    const isNic = items.some(([key]) => key.includes('{index}'));
    const numbered = items.map(([key, value]): LxcItem => [key.replace('{index}', String(index)), value]);
    if (isNic) index += 1;
    return numbered;
  });
}

/** The container's whole LXC configuration, in order. Pure. */
export function lxcConfig(input: LxcConfigInput): readonly LxcItem[] {
  const { spec, paths, rootfs } = input;
  const environment = Object.entries(spec.config)
    .filter(([key]) => key.startsWith('environment.'))
    .map(([key, value]): LxcItem => ['lxc.environment', `${key.slice('environment.'.length)}=${value}`]);
  return checked([
    ['lxc.uts.name', spec.name],
    ['lxc.arch', spec.architecture],
    ['lxc.rootfs.path', `dir:${rootfs}`],
    ['lxc.autodev', '1'],
    ['lxc.pty.max', '1024'],
    ['lxc.tty.max', '0'],
    ['lxc.console.buffer.size', 'auto'],
    ['lxc.console.size', 'auto'],
    ['lxc.console.logfile', paths.consoleLog],
    ...security(input),
    ...mounts(input),
    ...cgroup(input),
    ...environment,
    ...(input.app ?? []),
    ...nvidiaItems(spec.config),
    ...deviceItems(input.devices),
    ...(Object.keys(spec.devices).some((name) => spec.devices[name]?.['type'] === 'nic')
      ? []
      : [['lxc.net.0.type', 'empty'] as LxcItem]),
  ]);
}

/** As a file for liblxc; `raw.lxc` goes last and may say what it likes, as in LXD. */
export function lxcConfigText(items: readonly LxcItem[], raw: string | undefined): string {
  return `${items.map(([key, value]) => `${key} = ${value}`).join('\n')}\n${raw ? `${raw}\n` : ''}`;
}
