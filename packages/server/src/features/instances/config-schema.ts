import { isTrue, LxdError, type Config, type ConfigSchema, type KeySchema } from '@lxd-ts/core';
import * as check from './config-checks.ts';

const key = (
  test: KeySchema['check'],
  description: string,
  more: Pick<KeySchema, 'default' | 'live'> = {},
): KeySchema => ({ check: test, description, ...more });

const live = { live: true };
const off = { default: 'false' };

/** What LXD 5.0 lets a container have. A key that ends in `.*` stands for all below it. */
export const instanceConfigSchema: ConfigSchema = {
  'boot.autostart': key(check.bool, 'Start with the daemon; unset: as it was', live),
  'boot.autostart.delay': key(check.integer, 'Seconds to wait after it before the next starts', {
    default: '0',
    ...live,
  }),
  'boot.autostart.priority': key(check.integer, 'The highest starts first', { default: '0', ...live }),
  'boot.host_shutdown_timeout': key(check.integer, 'Seconds to wait for it when the host goes down', {
    default: '30',
    ...live,
  }),
  'boot.stop.priority': key(check.integer, 'The highest stops first', { default: '0', ...live }),
  'cloud-init.network-config': key(check.networkConfig, 'Network configuration for cloud-init'),
  'cloud-init.user-data': key(check.cloudConfig, 'User data for cloud-init'),
  'cloud-init.vendor-data': key(check.cloudConfig, 'Vendor data for cloud-init'),
  'cluster.evacuate': key(
    check.oneOf('auto', 'migrate', 'live-migrate', 'stop'),
    'What an evacuation does with it',
    { default: 'auto' },
  ),
  'environment.*': key(check.any, 'Environment of init and of commands', live),
  'image.*': key(check.any, 'What the image says of itself', live),
  'lease.expires_at': key(check.time, 'When it is stopped and deleted, unless that was put off', live),
  'limits.cpu': key(check.cpus, 'Number or set of CPUs', live),
  'limits.cpu.allowance': key(check.cpuAllowance, 'Share of CPU time', live),
  'limits.cpu.priority': key(check.priority, 'Compared with others on the same CPUs', {
    default: '10',
    ...live,
  }),
  'limits.disk.priority': key(check.priority, 'How much of the disk it gets under load', {
    default: '5',
    ...live,
  }),
  'limits.hugepages.64KB': key(check.size, 'Limit of 64 KB huge pages', live),
  'limits.hugepages.1MB': key(check.size, 'Limit of 1 MB huge pages', live),
  'limits.hugepages.2MB': key(check.size, 'Limit of 2 MB huge pages', live),
  'limits.hugepages.1GB': key(check.size, 'Limit of 1 GB huge pages', live),
  'limits.kernel.*': key(check.any, 'Resource limits of the kernel (ulimit)'),
  'limits.memory': key(check.memory, 'A size, or a share of the host', live),
  'limits.memory.enforce': key(check.oneOf('soft', 'hard'), 'Whether it may exceed while there is enough', {
    default: 'hard',
    ...live,
  }),
  'limits.memory.hugepages': key(check.bool, 'Back memory with huge pages', off),
  'limits.memory.swap': key(check.bool, 'Whether its memory may be swapped out', {
    default: 'true',
    ...live,
  }),
  'limits.memory.swap.priority': key(check.priority, 'The higher, the later it is swapped out', {
    default: '10',
    ...live,
  }),
  'limits.network.priority': key(check.priority, 'Priority of its packets', { default: '0', ...live }),
  'limits.processes': key(check.count, 'Number of processes', live),
  'linux.kernel_modules': key(check.any, 'Modules to load before it starts', live),
  'linux.sysctl.*': key(check.any, 'sysctl settings inside'),
  'migration.incremental.memory': key(check.bool, 'Pre-copy of memory', { ...off, ...live }),
  'migration.incremental.memory.goal': key(check.uint32, 'Percent in sync before it stops', {
    default: '70',
    ...live,
  }),
  'migration.incremental.memory.iterations': key(check.uint32, 'Rounds at most', { default: '10', ...live }),
  'nvidia.driver.capabilities': key(check.any, 'Driver capabilities it needs', {
    default: 'compute,utility',
  }),
  'nvidia.require.cuda': key(check.any, 'Wanted CUDA version'),
  'nvidia.require.driver': key(check.any, 'Wanted driver version'),
  'nvidia.runtime': key(check.bool, 'Pass the host’s NVIDIA runtime in', off),
  'oci.cwd': key(check.path, 'Where its first process begins; it has no init system'),
  'oci.entrypoint': key(check.words, 'Its first process and the arguments, quoted as for a shell'),
  'oci.stop_signal': key(check.signal, 'What asks it to end', { default: 'SIGTERM' }),
  'oci.user': key(check.user, 'As whom it runs: USER or USER:GROUP, by name or number', { default: 'root' }),
  'placement.affinity': key(
    check.labels,
    'Only beside an instance that has one of these labels, if there is one',
  ),
  'placement.anti_affinity': key(
    check.labels,
    'Never on a member with an instance that has one of these labels',
  ),
  'placement.labels': key(
    check.labels,
    'Its labels, for the placement of others; spread over failure domains',
  ),
  'raw.apparmor': key(check.any, 'Appended to its AppArmor profile', live),
  'raw.idmap': key(check.rawIdmap, 'Ids of the host that are the same inside'),
  'raw.lxc': key(check.rawLxc, 'Appended to its LXC configuration'),
  'raw.seccomp': key(check.any, 'Its whole seccomp policy'),
  'security.devlxd': key(check.bool, 'Offer /dev/lxd', { default: 'true' }),
  'security.devlxd.images': key(check.bool, 'Offer images over /dev/lxd', off),
  'security.idmap.base': key(check.uint32, 'First host id of its map'),
  'security.idmap.isolated': key(check.bool, 'A map of its own', off),
  'security.idmap.size': key(check.uint32, 'Length of its map'),
  'security.nesting': key(check.bool, 'Containers inside', { ...off, ...live }),
  'security.privileged': key(check.bool, 'Root inside is root on the host', off),
  'security.protection.delete': key(check.bool, 'Cannot be deleted', { ...off, ...live }),
  'security.protection.shift': key(check.bool, 'Its files are never shifted', { ...off, ...live }),
  'security.syscalls.allow': key(check.any, 'System calls to allow, all others refused'),
  'security.syscalls.deny': key(check.any, 'System calls to refuse'),
  'security.syscalls.deny_compat': key(check.bool, 'Refuse compat_* system calls', off),
  'security.syscalls.deny_default': key(check.bool, 'Refuse the usual dangerous ones', { default: 'true' }),
  'security.syscalls.intercept.bpf': key(check.bool, 'Answer bpf()', off),
  'security.syscalls.intercept.bpf.devices': key(check.bool, 'Allow device cgroup programs', off),
  'security.syscalls.intercept.mknod': key(check.bool, 'Answer mknod()', off),
  'security.syscalls.intercept.mount': key(check.bool, 'Answer mount()', off),
  'security.syscalls.intercept.mount.allowed': key(check.any, 'Filesystems it may mount'),
  'security.syscalls.intercept.mount.fuse': key(check.any, 'Filesystems it mounts through FUSE'),
  'security.syscalls.intercept.mount.shift': key(check.bool, 'Shift ids of what it mounts', off),
  'security.syscalls.intercept.sched_setscheduler': key(check.bool, 'Answer sched_setscheduler()', off),
  'security.syscalls.intercept.setxattr': key(check.bool, 'Answer setxattr()', off),
  'security.syscalls.intercept.sysinfo': key(check.bool, 'Answer sysinfo() by its limits', off),
  // The older names of the four above.
  'security.syscalls.blacklist': key(check.any, 'Older name of security.syscalls.deny'),
  'security.syscalls.blacklist_compat': key(check.bool, 'Older name of security.syscalls.deny_compat'),
  'security.syscalls.blacklist_default': key(check.bool, 'Older name of security.syscalls.deny_default'),
  'security.syscalls.whitelist': key(check.any, 'Older name of security.syscalls.allow'),
  'snapshots.expiry': key(check.expiry, 'When snapshots are deleted, e.g. `1w 3d`', live),
  'snapshots.pattern': key(check.any, 'Names of snapshots', { default: 'snap%d', ...live }),
  'snapshots.schedule': key(check.schedule, 'When snapshots are made', live),
  'snapshots.schedule.stopped': key(check.bool, 'Also while it is stopped', { ...off, ...live }),
  'user.*': key(check.any, 'Free for the user', live),
  'volatile.apply_quota': key(check.any, 'Quota to apply at the next start'),
  'volatile.apply_template': key(check.any, 'Template hook to run at the next start'),
  'volatile.base_image': key(check.any, 'Fingerprint of the image it came from'),
  'volatile.cloud-init.instance-id': key(check.any, 'Identity for cloud-init'),
  'volatile.evacuate.origin': key(check.any, 'Member it was evacuated from'),
  'volatile.idmap.base': key(check.any, 'First id of its map'),
  'volatile.idmap.current': key(check.any, 'Map in use'),
  'volatile.idmap.next': key(check.any, 'Map of the next start'),
  'volatile.last_state.idmap': key(check.any, 'Map of its files on disk'),
  'volatile.last_state.power': key(check.any, 'Whether it ran'),
  'volatile.last_state.ready': key(check.bool, 'Whether it said it was ready'),
  'volatile.uuid': key(check.uuid, 'Its identity'),
};

/** `volatile.<device>.<one of these>`. */
const deviceVolatile =
  /^volatile\..+\.(apply_quota|ceph_rbd|host_name|hwaddr|id|mig\.uuid|name|vgpu\.uuid|last_state\.(created|hwaddr|mtu|ip_addresses|pci\.[a-z.]+|vdpa\.name|vf\.[a-z]+))$/;
const wild = ['environment.', 'image.', 'limits.kernel.', 'linux.sysctl.', 'user.'];
const deviceKey = key(check.any, 'What a device must remember');
const hwaddrKey = key(check.hwaddr, 'MAC address of a NIC');

function schemaOf(name: string): KeySchema | undefined {
  const exact = Object.hasOwn(instanceConfigSchema, name) ? instanceConfigSchema[name] : undefined;
  if (exact) return exact;
  const prefix = wild.find((start) => name.startsWith(start));
  if (prefix) return instanceConfigSchema[`${prefix}*`];
  if (!deviceVolatile.test(name)) return undefined;
  return name.endsWith('.hwaddr') ? hwaddrKey : deviceKey;
}

const has = (config: Config, ...starts: string[]): boolean =>
  Object.entries(config).some(([key, value]) => value && starts.some((start) => key.startsWith(start)));

/** What stands for itself alone. */
function checkTogether(config: Config): void {
  const allow = ['security.syscalls.allow', 'security.syscalls.whitelist'];
  const deny = ['security.syscalls.deny', 'security.syscalls.blacklist'];
  if (config['raw.seccomp'] && has(config, ...allow, ...deny))
    throw new LxdError('invalid', 'raw.seccomp is mutually exclusive with security.syscalls*');
  if (has(config, ...allow) && has(config, ...deny))
    throw new LxdError(
      'invalid',
      'security.syscalls.allow is mutually exclusive with security.syscalls.deny*',
    );
  if (!isTrue(config['security.syscalls.intercept.mount'])) return;
  const direct = (config['security.syscalls.intercept.mount.allowed'] ?? '').split(',');
  for (const pair of config['security.syscalls.intercept.mount.fuse']?.split(',') ?? []) {
    const [filesystem = '', program] = pair.split('=');
    if (pair !== '' && program === undefined)
      throw new LxdError(
        'invalid',
        `security.syscalls.intercept.mount.fuse is not of the form 'filesystem=fuse-binary': ${pair}`,
      );
    if (filesystem !== '' && direct.includes(filesystem))
      throw new LxdError(
        'invalid',
        `Filesystem ${filesystem} cannot appear in security.syscalls.intercept.mount.allowed and security.syscalls.intercept.mount.fuse`,
      );
  }
}

/**
 * Refuses unknown keys and wrong values; an empty value means unset.
 * @throws LxdError `invalid`, worded as LXD words it
 */
export function checkInstanceConfig(config: Config): void {
  checkTogether(config);
  for (const [name, value] of Object.entries(config)) {
    const schema = schemaOf(name);
    if (!schema) throw new LxdError('invalid', `Unknown configuration key: ${name}`);
    const wrong = value === '' ? undefined : schema.check(value);
    if (wrong !== undefined) throw new LxdError('invalid', wrong);
  }
}

/** For profiles: what only an instance can have is refused. */
export function checkProfileConfig(config: Config): void {
  for (const name of Object.keys(config)) {
    if (name.startsWith('volatile.'))
      throw new LxdError('invalid', 'Volatile keys can only be set on instances');
    // It would be the end of all that use it.
    if (name.startsWith('lease.')) throw new LxdError('invalid', 'Lease keys can only be set on instances');
    if (name.startsWith('image.')) throw new LxdError('invalid', 'Image keys can only be set on instances');
  }
  checkInstanceConfig(config);
}
