import { mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTrue, LxdError, projectPrefixed, toLxdError, validators, type Config } from '@lxd-ts/core';
import { anyDevice, checks } from '../checks.ts';
import type { DeviceContext, DeviceDriver, RunningInside } from '../driver.ts';
import { shifted } from '../ids.ts';
import { count, isAbstract, parseProxyAddress, sockets, type ProxyAddress } from '../proxy-address.ts';
import { isWildcard, natTarget, startNat, stopNat } from '../proxy-nat.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** Nobody: who connects to an address needs to be no one. */
const nobody = '65534';
const endTimeoutMs = 5_000;
const endPollMs = 20;

function addressOf(config: Config, key: 'listen' | 'connect'): ProxyAddress {
  try {
    return parseProxyAddress(config[key] ?? '');
  } catch (error) {
    throw invalid(`Invalid value for device option "${key}": ${toLxdError(error).message}`);
  }
}

const sides = (config: Config): [listen: ProxyAddress, connect: ProxyAddress] => [
  addressOf(config, 'listen'),
  addressOf(config, 'connect'),
];

const onHost = ({ bind = '' }: Config): boolean => bind === '' || bind === 'host';

function checkNat(config: Config, listen: ProxyAddress, connect: ProxyAddress): void {
  if (!onHost(config)) throw invalid('Only host-bound proxies can use NAT');
  if (isTrue(config['proxy_protocol']))
    throw invalid('The PROXY header can only be sent to tcp servers in non-nat mode');
  if (listen.type === 'unix' || listen.type !== connect.type)
    throw invalid(`Proxying ${listen.type} <-> ${connect.type} is not supported when using NAT`);
  if (isWildcard(listen.host))
    throw invalid(`Cannot listen on wildcard address "${listen.host}" when in nat mode`);
  if (listen.host.includes(':') !== connect.host.includes(':'))
    throw invalid('Cannot mix IP versions between listen and connect in nat mode');
}

/** One per device, written by the process itself. */
const pidFile = ({ dir, instance, name }: DeviceContext): string =>
  join(
    dir,
    'devices',
    projectPrefixed(instance.project, instance.name),
    `proxy.${encodeURIComponent(name)}.pid`,
  );

/** Marks the process: no other has this in its command line. */
const marker = (context: DeviceContext): string => `id=${pidFile(context)}`;

/** Who it becomes: counted inside where it connects inside, on the host where it connects there. */
function whoConnects(config: Config, connect: ProxyAddress): string[] {
  const byPath = connect.type === 'unix' && !isAbstract(connect);
  const otherwise = connect.type === 'unix' ? '0' : nobody;
  const uid = config['security.uid'] || otherwise;
  return [
    `uid=${uid}`,
    `gid=${config['security.gid'] || otherwise}`,
    ...(byPath && uid === '0' ? ['keep=files'] : []),
  ];
}

function forwarderArguments(context: DeviceContext, { pid }: RunningInside): string[] {
  const { config, instance } = context;
  const [listen, connect] = sides(config);
  const host = onHost(config);
  const unprivileged = (instance.config['volatile.idmap.next'] ?? '[]') !== '[]';
  const owner = Number(config['uid'] || 0);
  const group = Number(config['gid'] || 0);
  return [
    marker(context),
    `pidfile=${pidFile(context)}`,
    `watch=${pid}`,
    ...(host
      ? [`connect-in=${pid}`, ...(unprivileged ? [`user-in=${pid}`] : [])]
      : [
          `listen-in=${pid}`,
          `maker=${shifted(instance, 'Isuid', 0)}`,
          `maker-group=${shifted(instance, 'Isgid', 0)}`,
        ]),
    ...sockets(listen).map((address) => `listen=${address}`),
    ...sockets(connect).map((address) => `connect=${address}`),
    ...whoConnects(config, connect),
    `owner=${host ? owner : shifted(instance, 'Isuid', owner)}`,
    `group=${host ? group : shifted(instance, 'Isgid', group)}`,
    `mode=${config['mode'] || '0644'}`,
    `proxy=${isTrue(config['proxy_protocol']) ? 1 : 0}`,
  ];
}

/** Ends the process, and takes its socket away; whoever listens there next must find it free. */
async function endForwarder(context: DeviceContext, signal: AbortSignal): Promise<void> {
  const { config, forwarder, host } = context;
  const file = pidFile(context);
  const [pid = 0, listensIn = 0] = (await readFile(file, 'utf8').catch(() => '')).split(' ').map(Number);
  const until = Date.now() + endTimeoutMs;
  while (pid > 1 && Date.now() < until && (await host.signalProcess(pid, marker(context), 'SIGKILL')))
    await sleep(endPollMs);
  const listen = parseProxyAddress(config['listen'] ?? '');
  if (pid > 1 && listen.type === 'unix' && !isAbstract(listen))
    await host.run([forwarder, 'unlink', String(listensIn), listen.host], { signal, allowFailure: true });
  await rm(file, { force: true });
  await rmdir(dirname(file)).catch(() => undefined); // others may still have theirs
}

/** Connections to an address of the host are passed on into the instance, or the other way round. */
export const proxy: DeviceDriver = {
  type: 'proxy',
  schema: {
    ...anyDevice('proxy'),
    listen: { check: checks.line, description: 'Where it listens: `TYPE:ADDRESS:PORT[-PORT][,PORT]`' },
    connect: { check: checks.line, description: 'Where it connects to: `TYPE:ADDRESS:PORT[-PORT][,PORT]`' },
    bind: {
      check: (value) =>
        ['host', 'instance', 'guest', 'container'].includes(value)
          ? undefined
          : 'Invalid binding side given. Must be "host" or "instance"',
      description: 'The side that it listens on: `host` or `instance`',
      default: 'host',
    },
    nat: {
      check: validators.bool,
      description: 'Whether packets are sent on by the firewall',
      default: 'false',
    },
    proxy_protocol: {
      check: validators.bool,
      description: 'Whether the PROXY protocol tells who connects',
      default: 'false',
    },
    uid: { check: checks.id, description: 'Owner of the socket it listens on', default: '0' },
    gid: { check: checks.id, description: 'Group of the socket it listens on', default: '0' },
    mode: { check: checks.mode, description: 'Mode of the socket it listens on', default: '0644' },
    'security.uid': { check: checks.id, description: 'User that connects', default: '0' },
    'security.gid': { check: checks.id, description: 'Group that connects', default: '0' },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config) => {
    const [listen, connect] = sides(config);
    if (count(connect) > 1 && count(connect) !== count(listen))
      throw invalid('Mismatch between listen port(s) and connect port(s) count');
    if (isTrue(config['proxy_protocol']) && (connect.type !== 'tcp' || listen.type === 'udp'))
      throw invalid('The PROXY header can only be sent to tcp servers in non-nat mode');
    const owned = config['uid'] || config['gid'] || config['mode'];
    if (owned && (listen.type !== 'unix' || isAbstract(listen)))
      throw invalid(
        'Only proxy devices for non-abstract unix sockets can carry uid, gid, or mode properties',
      );
    if (isTrue(config['nat'])) checkNat(config, listen, connect);
  },
  start: ({ config, instance }) => {
    if (isTrue(config['nat'])) natTarget(addressOf(config, 'connect'), instance);
    return Promise.resolve({ volatile: {} });
  },
  settle: async (context, inside, { signal }) => {
    const { config, forwarder, host } = context;
    const [listen, connect] = sides(config);
    if (isTrue(config['nat'])) {
      await startNat(context, listen, connect, signal);
      return;
    }
    await endForwarder(context, signal);
    await mkdir(dirname(pidFile(context)), { recursive: true, mode: 0o711 });
    await host.run([forwarder, ...forwarderArguments(context, inside)], { signal });
  },
  stop: async (context, { signal }) => {
    if (isTrue(context.config['nat'])) await stopNat(context, signal);
    else await endForwarder(context, signal);
    return {};
  },
  remove: () => Promise.resolve(),
};
