import { createHash } from 'node:crypto';
import { parseBits, type Config } from '@lxd-ts/core';
import { listOf } from './addresses.ts';
import type { DeviceContext } from './driver.ts';
import { hostNameOf, present } from './nic.ts';

/** The interface that a pair's traffic is led through where the kernel cannot limit it as it comes in. */
const detourOf = (hostName: string): string =>
  `ifb${createHash('sha256').update(hostName).digest('hex').slice(0, 10)}`;

const rate = (text: string | undefined): number | undefined => (text ? parseBits(text) : undefined);

async function removeDetour({ host }: DeviceContext, hostName: string, signal: AbortSignal): Promise<void> {
  const detour = detourOf(hostName);
  if (await present(`/sys/class/net/${detour}`))
    await host.run(['ip', 'link', 'delete', 'dev', detour], { signal, allowFailure: true });
}

const shape = (device: string, bits: number): string[] => [
  `qdisc add dev ${device} root handle 1:0 htb default 10`,
  `class add dev ${device} parent 1:0 classid 1:10 htb rate ${bits}bit`,
];

async function tc({ host }: DeviceContext, lines: readonly string[], signal: AbortSignal): Promise<void> {
  await host.run(['tc', '-batch', '-'], { signal, input: `${lines.join('\n')}\n` });
}

/** What comes from the instance is dropped above the rate; or waits, led through an interface that can hold it back. */
async function limitEgress(
  context: DeviceContext,
  hostName: string,
  bits: number,
  signal: AbortSignal,
): Promise<void> {
  const all = `filter add dev ${hostName} parent ffff:0 protocol all u32 match u32 0 0`;
  await tc(context, [`qdisc add dev ${hostName} handle ffff:0 ingress`], signal);
  const burst = Math.max(40_000, Math.ceil(bits / 8 / 10));
  const police = `${all} police rate ${bits}bit burst ${burst} mtu 64kb drop`;
  const { status } = await context.host.run(['tc', ...police.split(' ')], { signal, allowFailure: true });
  if (status === 0) return;
  const detour = detourOf(hostName);
  await context.host.ip([`link add name ${detour} type ifb`, `link set dev ${detour} up`], { signal });
  await tc(context, [...shape(detour, bits), `${all} action mirred egress redirect dev ${detour}`], signal);
}

/** The rates of a pair, in place of those it had. The host sends what the instance receives. */
async function limit(context: DeviceContext, hostName: string, signal: AbortSignal): Promise<void> {
  const { config, host } = context;
  const ingress = rate(config['limits.max'] || config['limits.ingress']);
  const egress = rate(config['limits.max'] || config['limits.egress']);
  for (const kind of ['root', 'ingress'] as const)
    await host.run(['tc', 'qdisc', 'del', 'dev', hostName, kind], { signal, allowFailure: true });
  await removeDetour(context, hostName, signal);
  if (ingress) await tc(context, shape(hostName, ingress), signal);
  if (egress) await limitEgress(context, hostName, egress, signal);
}

const routesOf = (config: Config, keys: readonly string[]): [family: string, route: string][] =>
  (['4', '6'] as const).flatMap((family) =>
    keys.flatMap((key) =>
      listOf(config[`ipv${family}.${key}`]).map((route): [string, string] => [family, route]),
    ),
  );

/** Networks that the host finds behind the instance. */
export async function changeRoutes(
  { host }: Pick<DeviceContext, 'host'>,
  { dev, before, after }: { dev: string; before: Config; after: Config },
  signal: AbortSignal,
): Promise<void> {
  const keys = ['routes', 'routes.external'];
  const text = (routes: [string, string][]) => routes.map((route) => route.join(' '));
  const [old, wanted] = [routesOf(before, keys), routesOf(after, keys)];
  for (const [family, route] of old.filter((one) => !text(wanted).includes(one.join(' ')))) {
    const argv = ['ip', `-${family}`, 'route', 'del', route, 'dev', dev] as const;
    await host.run(argv, { signal, allowFailure: true });
  }
  const lines = wanted.map(([family, route]) => `-${family} route replace ${route} dev ${dev} proto static`);
  for (const line of lines) await host.run(['ip', ...line.split(' ')], { signal });
}

const limited = (config: Config): boolean =>
  ['limits.max', 'limits.ingress', 'limits.egress'].some((key) => config[key]);

/** The host side of a pair as its options say. @param before what it had; nothing the first time */
export async function settleVeth(
  context: DeviceContext,
  before: Config | undefined,
  signal: AbortSignal,
): Promise<void> {
  const hostName = hostNameOf(context);
  if (limited(context.config) || (before && limited(before))) await limit(context, hostName, signal);
}

/** What does not go with the pair. */
export const leaveVeth = (context: DeviceContext, signal: AbortSignal): Promise<void> =>
  limited(context.config) && hostNameOf(context)
    ? removeDetour(context, hostNameOf(context), signal)
    : Promise.resolve();
