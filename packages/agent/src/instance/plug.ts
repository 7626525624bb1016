import type { DeviceStart, InsideMount, InsideNic } from '@lxd-ts/devices';
import type { AgentContext } from '../context.ts';
import { allowedDevices } from './lxc-config.ts';

/** A container that runs: its name for liblxc, and its init. */
export interface Running {
  id: string;
  pid: number;
}

/** `ip` in the network namespace of a process. */
async function ipInside(
  { host }: AgentContext,
  pid: number,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const argv = ['nsenter', `--net=/proc/${pid}/ns/net`, '--', 'ip', '-batch', '-'] as const;
  await host.run(argv, { signal, input: `${lines.join('\n')}\n` });
}

/** Its lines for `ip` on the host: the interface is made with its last name in the namespace where it belongs. */
function makeNic(pid: number, { type, name, link, hostName, hwaddr, mtu }: InsideNic): string[] {
  const settings = `${hwaddr ? ` address ${hwaddr}` : ''}${mtu ? ` mtu ${mtu}` : ''}`;
  switch (type) {
    case 'veth':
      return [
        `link add name ${hostName}${mtu ? ` mtu ${mtu}` : ''} type veth peer name ${name}${settings} netns ${pid}`,
        ...(link ? [`link set dev ${hostName} master ${link}`] : []),
        `link set dev ${hostName} up`,
      ];
    case 'macvlan':
      return [`link add link ${link} name ${name}${settings} netns ${pid} type macvlan mode bridge`];
    case 'phys':
      return [
        `link set dev ${link} down`,
        ...(settings ? [`link set dev ${link}${settings}`] : []),
        `link set dev ${link} netns ${pid} name ${name}`,
      ];
  }
}

export async function plugNic(
  context: AgentContext,
  { pid }: Running,
  nic: InsideNic,
  signal: AbortSignal,
): Promise<void> {
  const { name, addresses = [], gateways = [] } = nic;
  await context.host.ip(makeNic(pid, nic), { signal });
  await ipInside(
    context,
    pid,
    [
      `link set dev ${name} up`,
      ...addresses.map((address) => `address add ${address} dev ${name}`),
      ...gateways.flatMap((gateway) => [
        `route add ${gateway} dev ${name}`,
        `route add default via ${gateway} dev ${name}`,
      ]),
    ],
    signal,
  );
}

export async function unplugNic(
  context: AgentContext,
  { pid }: Running,
  { type, name, link, hostName }: InsideNic,
  signal: AbortSignal,
): Promise<void> {
  const lines = (await interfaceNames(context, pid)).includes(name)
    ? {
        veth: [],
        macvlan: [`link delete dev ${name}`],
        phys: [`link set dev ${name} down`, `link set dev ${name} netns ${process.pid} name ${link}`],
      }[type]
    : [];
  if (lines.length > 0) await ipInside(context, pid, lines, signal);
  const hostSide = (await interfaceNames(context, undefined)).includes(hostName ?? '');
  // Both sides go together.
  if (type === 'veth' && hostName && hostSide)
    await context.host.ip([`link delete dev ${hostName}`], { signal });
}

const interfaceNames = async ({ liblxc }: AgentContext, pid: number | undefined): Promise<string[]> =>
  (await liblxc.interfaces(pid)).map(({ name }) => name);

export async function plugMount(
  { liblxc }: AgentContext,
  { id }: Running,
  mount: InsideMount,
  signal: AbortSignal,
): Promise<void> {
  if (mount.rule) liblxc.cgroupSet(id, 'devices.allow', mount.rule);
  const options = [
    mount.kind,
    ...(mount.recursive ? ['recursive'] : []),
    ...(mount.readonly ? ['ro'] : []),
    ...(mount.shift ? ['idmap'] : []),
    ...(mount.propagation ? [mount.propagation] : []),
    ...(mount.options?.split(',').filter((option) => option !== '') ?? []),
  ];
  await liblxc.inject(id, { source: mount.source, target: mount.target, options }, { signal });
}

/** @param others what else is inside: what they need stays allowed */
export async function unplugMount(
  { liblxc }: AgentContext,
  { id }: Running,
  mount: InsideMount,
  others: readonly InsideMount[],
  signal: AbortSignal,
): Promise<void> {
  await liblxc.eject(id, mount.target, mount.rule !== undefined, { signal });
  const { rule } = mount;
  if (rule && !allowedDevices.includes(rule) && !others.some((other) => other.rule === rule))
    liblxc.cgroupSet(id, 'devices.deny', rule);
}

/** Gives a running container what it would have got at its start. */
export async function plug(
  context: AgentContext,
  running: Running,
  { mounts = [], nic }: DeviceStart,
  signal: AbortSignal,
): Promise<void> {
  for (const mount of mounts) await plugMount(context, running, mount, signal);
  if (nic) await plugNic(context, running, nic, signal);
}

/** Takes it back; what is gone already is passed over. */
export async function unplug(
  context: AgentContext,
  running: Running,
  { mounts = [], nic }: DeviceStart,
  others: readonly InsideMount[],
  signal: AbortSignal,
): Promise<void> {
  if (nic) await unplugNic(context, running, nic, signal);
  for (const mount of [...mounts].reverse()) await unplugMount(context, running, mount, others, signal);
}
