import { validators, type ConfigSchema } from '@lxd-ts/core';
import { algorithms } from '../backups/requested.ts';
import { knownArchitecture } from '../instances/context.ts';
import { expiryAfter } from '../cluster/expiry.ts';

const offlineThreshold = (value: string): string | undefined =>
  !/^[+-]?\d+$/.test(value)
    ? 'invalid integer'
    : Number(value) > 10
      ? undefined
      : "Value must be greater than '10'";

/** As LXD: below nothing is as good as nothing. */
const hours = (value: string): string | undefined =>
  /^[+-]?\d+$/.test(value) ? undefined : 'invalid integer';

const architecture = (value: string): string | undefined =>
  value === '' || knownArchitecture(value) !== '' ? undefined : `Invalid value "${value}" (no architecture)`;

const replicas = (value: string): string | undefined =>
  !/^[+-]?\d+$/.test(value)
    ? 'invalid integer'
    : Number(value) >= 1 || Number(value) === -1
      ? undefined
      : 'Invalid value for image replica count';

const factor = (value: string): string | undefined =>
  /^\d+(\.\d+)?$/.test(value) && Number(value) > 0
    ? undefined
    : `"${value}" is not a factor; use a number such as 1.5`;

/** `HOST:PORT`, `HOST`, `:PORT`, `[V6]:PORT`; a host is an address, as names may mean another machine tomorrow. */
const address = (value: string): string | undefined => {
  const host = /^\[[0-9a-fA-F:.]*\](:\d+)?$/.test(value)
    ? ''
    : value.replace(/:\d+$/, '').replace(/^(\d{1,3}\.){3}\d{1,3}$/, '');
  if (host === '' || host === 'localhost' || /^[0-9a-fA-F:]+$/.test(host)) return undefined;
  return `Couldn't resolve "${host}"`;
};

const expiry = (value: string): string | undefined => {
  try {
    expiryAfter(value, new Date(0));
    return undefined;
  } catch {
    return 'Invalid expiry expression';
  }
};

const compression = (value: string): string | undefined =>
  algorithms.includes(value)
    ? undefined
    : `"${value}" is not a compression algorithm; use one of ${algorithms.join(', ')}`;

/** Keys of the server that have an effect. `memberSpecific`: each member has its own. */
export const serverSchema: ConfigSchema = {
  'core.https_address': {
    check: address,
    description: 'Where this member answers over the network',
    memberSpecific: true,
  },
  'core.trust_password': { check: validators.any, description: 'Lets whoever knows it be trusted' },
  'core.remote_token_expiry': { check: expiry, description: 'How long a token for clients is good' },
  'backups.compression_algorithm': {
    check: compression,
    description: 'How backups are compressed',
    default: 'gzip',
  },
  'images.auto_update_cached': {
    check: validators.bool,
    description: 'Whether images that instances brought along are kept up to date',
    default: 'true',
  },
  'images.auto_update_interval': {
    check: hours,
    description: 'Hours between looks for newer images; 0: never',
    default: '6',
  },
  'images.compression_algorithm': {
    check: compression,
    description: 'How images of instances are compressed',
    default: 'gzip',
  },
  'images.default_architecture': {
    check: architecture,
    description:
      'Kind of machine that the plain names of a server of images mean; empty: the kind of this one',
  },
  'images.remote_cache_expiry': {
    check: hours,
    description: 'Days after which an image that an instance brought along goes, if nothing uses it',
    default: '10',
  },
  'cluster.join_token_expiry': {
    check: expiry,
    description: 'How long a token for members is good',
    default: '3H',
  },
  'cluster.images_minimal_replica': {
    check: replicas,
    description: 'Members that each image is on at least; -1: all',
    default: '3',
  },
  'cluster.max_voters': {
    check: (value) =>
      /^\d+$/.test(value) && Number(value) >= 3 && Number(value) % 2 === 1
        ? undefined
        : 'Value must be an odd number equal to or higher than 3',
    description: 'Members that have a copy of the state and a vote',
    default: '3',
  },
  'cluster.offline_threshold': {
    check: offlineThreshold,
    description: 'Seconds of silence after which a member is offline',
    default: '20',
  },
  'scheduler.overcommit.cpu': {
    check: factor,
    description: 'CPUs given away per CPU there is',
    default: '1',
  },
  'scheduler.overcommit.memory': { check: factor, description: 'The same of memory', default: '1' },
  'scheduler.overcommit.disk': { check: factor, description: 'The same of room in pools', default: '1' },
  'user.*': { check: validators.any, description: 'Free for the user' },
};

const defaultPort = 8443;

/** An address with its port, as it is listened on: `10.0.0.1` is `10.0.0.1:8443`. */
export function withPort(value: string): string {
  if (/^\[.*\]$/.test(value)) return `${value}:${defaultPort}`;
  if (/^[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*$/.test(value)) return `[${value}]:${defaultPort}`;
  return value.includes(':') ? value : `${value}:${defaultPort}`;
}
