import { readFile } from 'node:fs/promises';
import { arch, freemem, hostname, release, type } from 'node:os';
import type { MemberDescription } from '@lxd-ts/rpc';
import type { AgentContext } from './context.ts';

/** Node's names for processors to LXD's, native first, then what runs on it too. */
const architectures: Readonly<Record<string, string[]>> = {
  x64: ['x86_64', 'i686'],
  arm64: ['aarch64', 'armv7l'],
  arm: ['armv7l'],
  ppc64: ['ppc64le'],
  s390x: ['s390x'],
  riscv64: ['riscv64'],
};

async function osRelease(): Promise<{ name: string; version: string }> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { name: value('NAME'), version: value('VERSION_ID') };
}

export async function describe(
  context: AgentContext,
  version: string,
  signal: AbortSignal,
): Promise<MemberDescription> {
  const { features, liblxc, pools, networks } = context;
  const native = architectures[arch()] ?? [arch()];
  return {
    version,
    hostname: hostname(),
    architectures: native,
    kernel: {
      name: type(),
      version: release(),
      architecture: native[0] ?? arch(),
      features: {
        idmapped_mounts: 'true',
        netnsid_getifaddrs: 'true',
        seccomp_listener: 'true',
        seccomp_listener_continue: 'true',
        uevent_injection: 'true',
        unpriv_fscaps: 'true',
      },
    },
    os: await osRelease(),
    lxcVersion: liblxc.version(),
    lxcFeatures: {
      cgroup2: 'true',
      core_scheduling: 'true',
      devpts_fd: 'true',
      idmapped_mounts_v2: 'true',
      mount_injection_file: 'true',
      network_gateway_device_route: 'true',
      network_ipvlan: 'true',
      network_l2proxy: 'true',
      network_phys_macvlan_mtu: 'true',
      network_veth_router: 'true',
      pidfd: 'true',
      seccomp_allow_deny_syntax: 'true',
      seccomp_notify: 'true',
      seccomp_proxy_send_notify_fd: 'true',
    },
    firewall: 'nftables',
    storageDrivers: await pools.available(signal),
    networkTypes: networks.types,
    cpus: features.cpus,
    memoryBytes: features.memoryBytes,
    memoryFreeBytes: freemem(),
  };
}
