import { posix } from 'node:path';
import { isFalse, LxdError, splitWords, toLxdError, type InstanceSpec, type NetworkSpec } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';
import { openFlags, SftpClient } from '@lxd-ts/rpc';
import type { AgentContext } from '../context.ts';
import { appUser } from './app-user.ts';
import { idmapLines, idmapOf } from './idmap.ts';

/** How an instance without an init system is started. */
export interface App {
  /** Not empty. */
  init: readonly string[];
  /** More of its LXC configuration. */
  items: readonly LxcItem[];
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const maxTextBytes = 1024 * 1024;
/** The first line of files that are written at every start; whoever takes it away keeps the file. */
const mark = '# Written by lxd-ts whenever the instance starts, unless this line is gone.\n';
const fileType = { mask: 0o170_000, file: 0o100_000 };

const missing = (error: unknown): undefined => {
  if (toLxdError(error).code !== 'not-found') throw error;
  return undefined;
};

/** A small text of the instance, '' where there is none. What is no file is never opened. */
async function readText(client: SftpClient, path: string): Promise<string> {
  const stat = await client.stat(path).catch(missing);
  if (!stat || (stat.mode & fileType.mask) !== fileType.file || stat.size > maxTextBytes) return '';
  const handle = await client.open(path, openFlags.read);
  const chunks: Buffer[] = [];
  for await (const chunk of client.read(handle, stat.size)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function makeDirectory(client: SftpClient, path: string): Promise<void> {
  if (path === '/' || (await client.stat(path).catch(missing))) return;
  await makeDirectory(client, posix.dirname(path));
  await client.mkdir(path, 0o755);
}

/** In the place of whatever link is there. */
async function writeText(client: SftpClient, path: string, content: string): Promise<void> {
  await makeDirectory(client, posix.dirname(path));
  const found = await client.lstat(path).catch(missing);
  if (found && (found.mode & fileType.mask) !== fileType.file) await client.remove(path);
  const { write, create, truncate } = openFlags;
  const handle = await client.open(path, write | create | truncate, 0o644);
  await client.write(
    handle,
    (async function* () {
      yield await Promise.resolve(Buffer.from(content));
    })(),
  );
  await client.closeFile(handle);
}

/** Managed networks that its NICs join, in the order of their names. */
const networksOf = ({ devices, networks }: InstanceSpec): NetworkSpec[] =>
  Object.entries(devices)
    .filter(([, { type }]) => type === 'nic')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { network, parent }]) => networks[network ?? parent ?? ''] ?? []);

/** Who answers for names, as resolv.conf says it; '' where nobody of ours does. */
export function resolvConf(networks: readonly NetworkSpec[]): string {
  const serving = networks.filter(({ config }) => config['dns.mode'] !== 'none');
  const servers = serving.flatMap(({ config }) => {
    const address = [config['ipv4.address'], config['ipv6.address']].find(
      (one) => one !== undefined && one !== '' && one !== 'none' && !isFalse(one),
    );
    return address === undefined ? [] : [address.split('/')[0] ?? ''];
  });
  if (servers.length === 0) return '';
  const domains = serving.flatMap(({ config }) =>
    (config['dns.search'] || config['dns.domain'] || 'lxd').split(','),
  );
  const search = [...new Set(domains.map((domain) => domain.trim()))].join(' ');
  return `search ${search}\n${servers.map((server) => `nameserver ${server}\n`).join('')}`;
}

export const hostsFile = (name: string, addresses: readonly string[]): string =>
  [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...(addresses.length > 0 ? addresses : ['127.0.1.1']).map((address) => `${address}\t${name}`),
    '',
  ].join('\n');

/** Addresses that it was given, without their prefix. */
const addressesOf = (devices: readonly (readonly LxcItem[])[]): string[] =>
  devices
    .flat()
    .filter(([key]) => /\.ipv[46]\.address$/.test(key))
    .map(([, value]) => value.split('/')[0] ?? '');

function itemsOf({ config }: InstanceSpec, user: ReturnType<typeof appUser>, name: string): LxcItem[] {
  const environment = { PATH: defaultPath, HOME: user.home, HOSTNAME: name };
  return [
    ['lxc.init.cwd', config['oci.cwd'] || '/'],
    ['lxc.init.uid', String(user.uid)],
    ['lxc.init.gid', String(user.gid)],
    // liblxc 5.0 forgets them where there is an id map.
    ...(user.groups.length > 0 ? [['lxc.init.groups', user.groups.join(',')] as const] : []),
    // What an init system would see to.
    ['lxc.mount.entry', 'tmpfs dev/shm tmpfs rw,nosuid,nodev,mode=1777,create=dir 0 0'],
    // There is nobody else in its network whose port it could take.
    ...(config['linux.sysctl.net.ipv4.ip_unprivileged_port_start'] === undefined
      ? [['lxc.sysctl.net.ipv4.ip_unprivileged_port_start', '0'] as const]
      : []),
    ...Object.entries(environment)
      .filter(([key]) => config[`environment.${key}`] === undefined)
      .map(([key, value]): LxcItem => ['lxc.environment', `${key}=${value}`]),
  ];
}

/**
 * What an image of an OCI registry says of how it runs, and what an application expects to find. Its files are looked at and
 * written from inside its root and id map: no link leads out of it.
 * @param run `mapped`: its root shows with the host's ids already
 * @param fresh it is started for the first time, or under another name
 * @throws LxdError `invalid`
 */
export async function prepareApp(
  context: AgentContext,
  run: { spec: InstanceSpec; rootfs: string; mapped: boolean; devices: readonly (readonly LxcItem[])[] },
  fresh: boolean,
  signal: AbortSignal,
): Promise<App> {
  const { spec, rootfs, mapped, devices } = run;
  const init = splitWords(spec.config['oci.entrypoint'] ?? '');
  if (init.length === 0)
    throw new LxdError('invalid', 'The image does not say what to run: set "oci.entrypoint"');
  const request = { rootfs, mapped, idmap: idmapLines(idmapOf(spec.config)) };
  await using session = await context.liblxc.files(request, { signal });
  const client = await SftpClient.open(session.stream);
  try {
    const user = appUser(
      spec.config['oci.user'] ?? '',
      await readText(client, '/etc/passwd'),
      await readText(client, '/etc/group'),
    );
    const texts = {
      '/etc/hosts': hostsFile(spec.name, addressesOf(devices)),
      '/etc/resolv.conf': resolvConf(networksOf(spec)),
    };
    for (const [path, text] of Object.entries(texts)) {
      if (text === '') continue;
      const before = await readText(client, path);
      const ours = before === '' || before.startsWith(mark);
      if ((fresh || ours) && before !== mark + text) await writeText(client, path, mark + text);
    }
    if (fresh) await writeText(client, '/etc/hostname', `${spec.name}\n`);
    await makeDirectory(client, spec.config['oci.cwd'] || '/');
    return { init, items: itemsOf(spec, user, spec.name) };
  } finally {
    client.close();
  }
}
