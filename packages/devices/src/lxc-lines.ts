import { escapeField } from './checks.ts';
import type { DeviceStart, InsideMount, InsideNic } from './driver.ts';

type Line = readonly [key: string, value: string];

function mountLine(mount: InsideMount): Line {
  const options = [
    mount.recursive ? 'rbind' : 'bind',
    ...(mount.readonly === undefined ? [] : [mount.readonly ? 'ro' : 'rw']),
    `create=${mount.kind}`,
    ...(mount.shift ? ['idmap=container'] : []),
    ...(mount.propagation ? [mount.propagation] : []),
    ...(mount.options ? [mount.options] : []),
  ];
  const fields = [escapeField(mount.source), escapeField(mount.target), 'none', options.join(','), '0', '0'];
  return ['lxc.mount.entry', fields.join(' ')];
}

/** What they name is made and taken away by liblxc together with the container. */
function nicLines(nic: InsideNic): Line[] {
  const line = (key: string, value: string): Line => [`lxc.net.{index}.${key}`, value];
  const family = (address: string): string => (address.includes(':') ? 'ipv6' : 'ipv4');
  return [
    line('type', nic.type),
    line('flags', 'up'),
    ...(nic.link ? [line('link', nic.link)] : []),
    ...(nic.type === 'macvlan' ? [line('macvlan.mode', 'bridge')] : []),
    ...(nic.hostName ? [line('veth.pair', nic.hostName)] : []),
    ...(nic.hwaddr ? [line('hwaddr', nic.hwaddr)] : []),
    line('name', nic.name),
    ...(nic.mtu ? [line('mtu', nic.mtu)] : []),
    ...(nic.addresses ?? []).map((address) => line(`${family(address)}.address`, address)),
    ...(nic.gateways ?? []).map((gateway) => line(`${family(gateway)}.gateway`, gateway)),
  ];
}

/** A device as lines of the LXC configuration. A NIC uses `lxc.net.{index}.…`: `{index}` is put in by the caller. */
export const lxcLines = ({ mounts = [], nic }: DeviceStart): Line[] => [
  ...mounts.map(mountLine),
  ...mounts.flatMap(({ rule }): Line[] =>
    rule
      ? [
          ['lxc.cgroup.devices.allow', rule],
          ['lxc.cgroup2.devices.allow', rule],
        ]
      : [],
  ),
  ...(nic ? nicLines(nic) : []),
];
