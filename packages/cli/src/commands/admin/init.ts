import { hostname, networkInterfaces } from 'node:os';
import { existsSync } from 'node:fs';
import { LxdError } from '@lxd-ts/core';
import { loadTls, type Network, type Profile, type Server, type StoragePool } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { lineReader, readAll } from '../../base/io.ts';
import { yamlOutput, type Output } from '../../base/output.ts';
import { autoAnswers, toPreseed, type Surroundings } from './answers.ts';
import { askCluster, type Peek } from './cluster-questions.ts';
import { isJoin, joinRequest } from './join.ts';
import { planRequests, type Existing, type Preseed } from './preseed.ts';
import { interview } from './questions.ts';

type Named<T> = T & { name: string };
interface Project {
  name: string;
  description: string;
  config: Record<string, string>;
}

interface Found {
  server: Server;
  networks: Network[];
  pools: StoragePool[];
  profiles: Profile[];
  projects: Project[];
}

/** Projects are optional on a server that has none to offer. */
async function projectsOf(context: Context): Promise<Project[]> {
  try {
    return await context.client.get<Project[]>('/1.0/projects', { query: { recursion: 1 } });
  } catch (error) {
    if (error instanceof LxdError && error.code === 'not-found') return [];
    throw error;
  }
}

async function look(context: Context): Promise<Found> {
  const list = <T>(path: string): Promise<T[]> => context.client.get<T[]>(path, { query: { recursion: 1 } });
  const [server, networks, pools, profiles, projects] = await Promise.all([
    context.client.get<Server>('/1.0'),
    list<Network>('/1.0/networks'),
    list<StoragePool>('/1.0/storage-pools'),
    list<Profile>('/1.0/profiles'),
    projectsOf(context),
  ]);
  return { server, networks: networks.filter(({ managed }) => managed), pools, profiles, projects };
}

const byName = <T>(list: readonly Named<T>[]): Record<string, Named<T>> =>
  Object.fromEntries(list.map((one) => [one.name, one]));

const existing = ({ server, networks, pools, profiles, projects }: Found): Existing => ({
  config: server.config,
  networks: byName(networks),
  pools: byName(pools),
  profiles: byName(profiles),
  projects: byName(projects),
});

function surroundings({ server, networks, pools }: Found): Surroundings {
  const supported = server.environment.storage_supported_drivers?.map(({ Name }) => Name) ?? ['dir', 'btrfs'];
  const taken = new Set([...Object.keys(networkInterfaces()), ...networks.map(({ name }) => name)]);
  return {
    drivers: supported.filter((name) => name !== 'cephfs' && name !== 'cephobject'),
    pools: pools.map(({ name }) => name),
    managedBridges: networks.filter(({ type }) => type === 'bridge').map(({ name }) => name),
    hasInterface: (name) => taken.has(name) || existsSync(`/sys/class/net/${name}`),
    isBridge: (name) => existsSync(`/sys/class/net/${name}/bridge`),
  };
}

async function dump(context: Context): Promise<Output> {
  const { server, networks, pools, profiles, projects } = await look(context);
  return yamlOutput({
    config: server.config,
    networks: networks.map(({ name, type, description, config }) => ({
      config,
      description,
      name,
      type,
      project: 'default',
    })),
    storage_pools: pools.map(({ name, driver, description, config }) => ({
      config,
      description,
      name,
      driver,
    })),
    profiles: profiles.map(({ name, description, config, devices }) => ({
      config,
      description,
      devices,
      name,
    })),
    projects: projects.map(({ name, description, config }) => ({ config, description, name })),
  });
}

const isWildcard = (address: string): boolean => /^(\[?::\]?|0\.0\.0\.0)?(:\d+)?$/.test(address);

async function apply(context: Context, preseed: Preseed, found: Found): Promise<void> {
  const cluster = preseed.cluster?.enabled ? preseed.cluster : undefined;
  if (cluster && found.server.environment.server_clustered)
    throw new LxdError('invalid', 'This server is a member of a cluster already');
  if (cluster && isJoin(cluster)) {
    // All else comes from the cluster.
    const { 'cluster.https_address': own, 'core.https_address': listening = '' } = found.server.config;
    const body = await joinRequest(cluster, own ?? (isWildcard(listening) ? undefined : listening));
    const operation = await context.client.change('PUT', '/1.0/cluster', { body });
    await context.wait(operation, 'Joining the cluster');
    return;
  }
  for (const { method, path, body, query } of planRequests(preseed, existing(found))) {
    await context.change(method, path, { body, ...(query ? { query } : {}) });
  }
  if (!cluster) return;
  if (!cluster.server_name) throw new LxdError('invalid', 'server_name is needed to begin a cluster');
  await context.change('PUT', '/1.0/cluster', { body: { server_name: cluster.server_name, enabled: true } });
}

const peek: Peek = async (url) => {
  const { peekCertificate, certificateFingerprint } = await loadTls();
  const certificate = await peekCertificate(url);
  return { certificate, fingerprint: certificateFingerprint(certificate) };
};

/** The address by which others most likely reach this machine. */
const likelyAddress = (): string =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '';

async function readPreseed(context: Context): Promise<Preseed> {
  const { mapFromYaml } = await import('../../format/yaml.ts');
  return mapFromYaml(await readAll(context.io.stdin));
}

async function interactive(context: Context, found: Found): Promise<Output | undefined> {
  const reader = lineReader(context.io);
  try {
    const complain = (text: string): void => void context.io.stderr.write(text);
    const { answers, printPreseed } = await interview(
      (question) => reader.ask(question),
      complain,
      surroundings(found),
      (questions) => askCluster(questions, { hostName: hostname(), address: likelyAddress() }, peek),
    );
    const preseed = toPreseed(answers);
    await apply(context, preseed, found);
    return printPreseed ? yamlOutput(preseed) : undefined;
  } finally {
    reader.close();
  }
}

export default command({
  usage: '',
  arity: [0, 0],
  description: `Sets the daemon up: a storage pool, a bridge with DHCP and NAT, and a default profile that uses both.
Without flags it asks.`,
  examples: [
    ['admin init --auto --storage-backend btrfs', 'Without questions'],
    [
      'admin init --preseed < server.yaml',
      'As a file says; its section "cluster" begins a cluster or joins one',
    ],
    ['admin init --dump', 'Write what such a file would say of this server'],
  ],
  flags: {
    auto: { kind: 'boolean', help: 'Ask nothing' },
    dump: { kind: 'boolean', help: 'Print the present set-up as YAML' },
    minimal: { kind: 'boolean', help: 'Ask nothing, choose what works best here' },
    preseed: { kind: 'boolean', help: 'Read the set-up as YAML from stdin' },
    'network-address': { kind: 'string', value: 'address', help: 'Address to listen on (default: none)' },
    'network-port': { kind: 'number', value: 'port', help: 'Port to listen on (default 8443)' },
    'storage-backend': { kind: 'string', value: 'driver', help: 'Storage driver (default dir)' },
    'storage-create-device': { kind: 'string', value: 'device', help: 'Make the pool on this block device' },
    'storage-create-loop': { kind: 'number', value: 'GiB', help: 'Make the pool in a file of this size' },
    'storage-pool': { kind: 'string', value: 'name', help: 'Name of the pool to create or to use' },
    'trust-password': { kind: 'string', value: 'password', help: 'Password for new clients' },
  },
  async run(shell, _args, flags) {
    const context = await shell.on('local');
    const { auto, minimal, preseed } = flags;
    if ([auto, minimal, preseed, flags.dump].filter(Boolean).length > 1) {
      throw new LxdError('invalid', 'Use only one of --auto, --minimal, --preseed and --dump');
    }
    const configuring = Object.entries(flags).some(
      ([name, value]) => /^(network|storage|trust)-/.test(name) && value !== undefined,
    );
    if (configuring && !auto) throw new LxdError('invalid', 'Configuration flags require --auto');
    if (flags.dump) return dump(context);
    const found = await look(context);
    if (preseed) await apply(context, await readPreseed(context), found);
    else if (auto || minimal) {
      await apply(context, toPreseed(autoAnswers(flags, surroundings(found), minimal)), found);
    } else return interactive(context, found);
    return undefined;
  },
});
