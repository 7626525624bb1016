import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { LxdError } from '@lxd-ts/core';

export type Role = 'control-plane' | 'node';

export interface DaemonOptions {
  dir: string;
  group: string | undefined;
  logfile: string | undefined;
  level: 'debug' | 'info' | 'warn';
  roles: readonly Role[];
  /** Empty: an etcd of our own. */
  etcdEndpoints: string[];
  etcdTls: { ca: string; cert?: string; key?: string } | undefined;
  /** `HOST:PORT` that agents of other members dial. */
  clusterAddress: string | undefined;
  /** Instead of what the cluster says; undefined: that. */
  offlineThresholdMs: number | undefined;
  /** A member of the control plane that is offline for longer is replaced. */
  lostVoterMs: number;
  joinToken: string | undefined;
  /** Instead of `/dev` and `/sys`. */
  devDir: string | undefined;
  sysDir: string | undefined;
  name: string;
}

export const help = `Usage: lxd-tsd [options]

Runs the lxd-ts daemon in the foreground. It must be started as root.

  --dir DIR                  Where everything is kept (default: $LXD_TS_DIR, $LXD_DIR or /var/lib/lxd-ts)
  --group GROUP              Group whose members may use the socket (it makes them root)
  --logfile FILE             Write the log to FILE instead of standard output
  --verbose                  Log what is done
  --debug                    Log everything
  --role ROLES               control-plane, node, or both separated by a comma (default: both)
  --name NAME                Name of this member (default: the host's name)
  --etcd-endpoints URLS      Use this etcd cluster (comma separated) instead of an own one
  --etcd-ca FILE             Certificate authority of that cluster
  --etcd-cert FILE, --etcd-key FILE
                             Client certificate for that cluster
  --cluster-address HOST:PORT
                             Where other members reach this one (the first time; it is kept)
  --join-token TOKEN         Join a cluster (the first time)
  --replace-voter-after SECONDS
                             A member of the control plane that is offline for longer
                             is replaced by another (default: 300)
  --offline-threshold SECONDS
                             Silence after which a member is offline, instead of cluster.offline_threshold (for tests)
  --dev-dir DIR, --sys-dir DIR
                             Where device nodes of the host are looked for, and what the kernel
                             tells of them, instead of /dev and /sys (for tests)
  --version                  Print the version
  --help                     Print this

Examples:
  lxd-tsd --group lxd --logfile /var/log/lxd-tsd.log
  lxd-tsd --role control-plane --cluster-address 10.0.0.1:8444
  lxd-tsd --cluster-address 10.0.0.2:8444 --join-token "$(cat token)"
`;

const lostVoterMs = 300_000;

const flags = {
  dir: { type: 'string' },
  group: { type: 'string' },
  logfile: { type: 'string' },
  verbose: { type: 'boolean', short: 'v' },
  debug: { type: 'boolean', short: 'd' },
  role: { type: 'string' },
  name: { type: 'string' },
  'etcd-endpoints': { type: 'string' },
  'etcd-ca': { type: 'string' },
  'etcd-cert': { type: 'string' },
  'etcd-key': { type: 'string' },
  'cluster-address': { type: 'string' },
  'join-token': { type: 'string' },
  'replace-voter-after': { type: 'string' },
  'offline-threshold': { type: 'string' },
  'dev-dir': { type: 'string' },
  'sys-dir': { type: 'string' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const invalid = (message: string): LxdError => new LxdError('invalid', message);

function rolesOf(text: string): Role[] {
  const roles = text.split(',');
  const wrong = roles.find((role) => role !== 'control-plane' && role !== 'node');
  if (wrong !== undefined) throw invalid(`--role: "${wrong}" is not a role; use control-plane, node or both`);
  return roles as Role[];
}

function addressOf(flag: string, text: string | undefined): string | undefined {
  if (text !== undefined && !/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(text)) {
    throw invalid(`--${flag}: "${text}" is not HOST:PORT`);
  }
  return text;
}

function secondsOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) < 1)
    throw invalid(`--${flag}: "${text}" is not a number of seconds of 1 or more`);
  return Number(text) * 1000;
}

/**
 * The command line and environment as options.
 * @throws LxdError `invalid`, naming the flag
 */
export function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): DaemonOptions | 'help' | 'version' {
  let values: ReturnType<typeof parseArgs<{ options: typeof flags }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }));
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return 'help';
  if (values.version) return 'version';
  const roles = rolesOf(values.role ?? 'control-plane,node');
  const ca = values['etcd-ca'];
  if (values['join-token'] !== undefined && values['cluster-address'] === undefined) {
    throw invalid('--join-token needs --cluster-address: where the other members reach this one');
  }
  return {
    dir: values.dir ?? environment['LXD_TS_DIR'] ?? environment['LXD_DIR'] ?? '/var/lib/lxd-ts',
    group: values.group,
    logfile: values.logfile,
    level: values.debug ? 'debug' : values.verbose ? 'info' : 'warn',
    roles,
    etcdEndpoints: values['etcd-endpoints']?.split(',').filter(Boolean) ?? [],
    etcdTls:
      ca === undefined
        ? undefined
        : {
            ca,
            ...(values['etcd-cert'] === undefined ? {} : { cert: values['etcd-cert'] }),
            ...(values['etcd-key'] === undefined ? {} : { key: values['etcd-key'] }),
          },
    clusterAddress: addressOf('cluster-address', values['cluster-address']),
    devDir: values['dev-dir'],
    sysDir: values['sys-dir'],
    offlineThresholdMs: secondsOf('offline-threshold', values['offline-threshold']),
    lostVoterMs: secondsOf('replace-voter-after', values['replace-voter-after']) ?? lostVoterMs,
    joinToken: values['join-token'],
    name: values.name ?? hostname(),
  };
}
