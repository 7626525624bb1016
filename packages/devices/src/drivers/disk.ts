import { lstat, mkdir, open, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isFalse,
  isTrue,
  LxdError,
  parseSize,
  projectPrefixed,
  toLxdError,
  validators,
  type Config,
} from '@lxd-ts/core';
import { anyDevice, checks, pathInside } from '../checks.ts';
import type { DeviceContext, DeviceDriver } from '../driver.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

const size = (value: string): string | undefined => {
  try {
    parseSize(value);
    return undefined;
  } catch (error) {
    return toLxdError(error).message;
  }
};

/** A size, or operations as in `100iops`; a second. */
const rate = (value: string): string | undefined => (/^\d+iops$/.test(value) ? undefined : size(value));

const propagations = [
  'private',
  'shared',
  'slave',
  'unbindable',
  'rprivate',
  'rshared',
  'rslave',
  'runbindable',
];

const optional = (config: Config): boolean => isTrue(config['optional']) || isFalse(config['required']);

/** Where it is on the host: a path that may not be there, or that of a volume, which is held from now on. */
async function openSource({ config, volumes }: DeviceContext, signal: AbortSignal): Promise<string> {
  const { pool, source = '' } = config;
  if (!pool) return source;
  try {
    return await volumes.hold(pool, source, { signal });
  } catch (error) {
    if (optional(config) && toLxdError(error).code === 'not-found') return '';
    throw error;
  }
}

/** A volume's owners are those inside, in every instance that it is in. */
const isShifted = ({ config, volumeConfig }: DeviceContext): boolean =>
  config['pool']
    ? !isTrue(volumeConfig(config['pool'], config['source'] ?? '')['security.unmapped'])
    : isTrue(config['shift']);

/**
 * The source is bound here first, by the host: in its user namespace a container may not take one mount out of a tree of
 * several, and this one stands alone.
 */
const stagePath = ({ dir, instance, name }: DeviceContext): string =>
  join(dir, 'devices', projectPrefixed(instance.project, instance.name), `disk.${encodeURIComponent(name)}`);

function stageOptions(config: Config, filesystem: boolean): string[] {
  if (!filesystem) return [isTrue(config['recursive']) ? 'rbind' : 'bind'];
  return [
    isTrue(config['readonly']) ? 'ro' : 'rw',
    ...(config['raw.mount.options'] ? [config['raw.mount.options']] : []),
  ];
}

/** What is mounted below a shared source is the host's: it must not hear of the unmount. */
async function unstage({ host }: DeviceContext, path: string, signal: AbortSignal): Promise<void> {
  if (!(await host.mounts()).some(({ target }) => target === path)) return;
  await host.run(['mount', '--make-rprivate', '--', path], { signal, allowFailure: true });
  await host.unmount(path, { signal, lazy: true });
}

async function removeStage(context: DeviceContext, signal: AbortSignal): Promise<void> {
  const path = stagePath(context);
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  await unstage(context, path, signal);
  // Never a tree: what is still mounted there would be emptied.
  if ((await lstat(path)).isDirectory()) await rmdir(path);
  else await rm(path);
  await rmdir(dirname(path)).catch(() => undefined); // others may still have theirs
}

function checkRoot({ pool, source, recursive }: Config): void {
  if (source) throw invalid('Root disk entry may not have a "source" property set');
  if (!pool) throw invalid('Root disk entry must have a "pool" property set');
  if (isTrue(recursive)) {
    throw invalid('The recursive option is only supported for additional bind-mounted paths');
  }
}

/** The name becomes part of a path on the host. */
function checkVolume({ source = '', shift }: Config): void {
  if (source.startsWith('/')) throw invalid('Storage volumes cannot be specified as absolute paths');
  if (source.includes('/') || source === '.' || source === '..') {
    throw invalid('Failed loading custom volume: Storage volume not found');
  }
  if (isTrue(shift)) {
    throw invalid('The "shift" property cannot be used with custom storage volumes');
  }
}

/** A directory or file of the host, the filesystem on a block device, or a volume of a pool, at a path inside. The root disk is the agent's own concern. */
export const disk: DeviceDriver = {
  type: 'disk',
  schema: {
    ...anyDevice('disk'),
    path: { check: checks.pathInside, description: 'Where it is inside the instance' },
    source: { check: checks.line, description: 'Path on the host, or name of a volume' },
    pool: { check: validators.any, description: 'The storage pool of the volume' },
    readonly: { check: validators.bool, description: 'Whether nothing may be written', default: 'false' },
    recursive: {
      check: validators.bool,
      description: 'Whether mounts below the source come along',
      default: 'false',
    },
    required: {
      check: validators.bool,
      description: 'Whether the instance fails to start without it',
      default: 'true',
    },
    optional: { check: validators.bool, description: 'The opposite of required', default: 'false' },
    shift: { check: validators.bool, description: 'Whether owners are seen as inside', default: 'false' },
    propagation: { check: validators.oneOf(...propagations), description: 'How mounts spread' },
    'limits.read': {
      check: rate,
      description: 'Bytes or operations read a second: 30MB, 100iops',
      live: true,
    },
    'limits.write': { check: rate, description: 'Bytes or operations written a second', live: true },
    'limits.max': { check: rate, description: 'The same as both of these', live: true },
    size: { check: size, description: 'Size limit of the root disk', live: true },
    'size.state': { check: size, description: 'For virtual machines only' },
    'boot.priority': { check: validators.unsigned, description: 'Order of booting (virtual machines only)' },
    'raw.mount.options': { check: checks.mountOptions, description: 'More mount options' },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config, { pools }) => {
    const { pool, source, path } = config;
    if (pool && !pools[pool]) throw invalid(`The "${pool}" storage pool doesn't exist`);
    if (config['required'] && config['optional']) {
      throw invalid('Cannot use both "required" and deprecated "optional" properties at the same time');
    }
    if (path === '/') return checkRoot(config);
    if (!source || !path) {
      throw invalid('Disk entry is missing the required "source" or "path" property');
    }
    if (config['size.state']) throw invalid('Only the root disk may have a migration size quota');
    if (config['size']) throw invalid('Only the root disk may have a size quota');
    if (isTrue(config['recursive']) && isTrue(config['readonly'])) {
      throw invalid("Recursive read-only bind-mounts aren't currently supported by the kernel");
    }
    if (pool) checkVolume(config);
    else if (!source.startsWith('/')) throw invalid('Source path must be absolute for local sources');
  },
  check: async (context) => {
    const { config, name } = context;
    // Pools and their volumes are the server's to know.
    const { pool, source = '' } = config;
    if (pool || optional(config) || (await stat(source).catch(() => undefined))) return;
    throw invalid(`Missing source path "${source}" for disk "${name}"`);
  },
  start: async (context, { signal }) => {
    const { config } = context;
    const source = await openSource(context, signal);
    const found = await stat(source).catch(() => undefined);
    if (!found) {
      if (optional(config)) return { volatile: {} };
      throw invalid(`Missing source path "${source}" for disk "${context.name}"`);
    }
    const path = stagePath(context);
    await mkdir(dirname(path), { recursive: true, mode: 0o711 });
    // Of a block device it is the filesystem that is wanted.
    const filesystem = found.isBlockDevice();
    const directory = filesystem || found.isDirectory();
    if (directory) await mkdir(path, { recursive: true, mode: 0o700 });
    else await (await open(path, 'a', 0o600)).close();
    await unstage(context, path, signal);
    await context.host.mount({ source, target: path, options: stageOptions(config, filesystem) }, { signal });
    const mount = {
      source: path,
      target: pathInside(config['path'] ?? ''),
      kind: directory ? ('dir' as const) : ('file' as const),
      recursive: isTrue(config['recursive']),
      readonly: isTrue(config['readonly']),
      shift: isShifted(context),
      ...(config['propagation'] ? { propagation: config['propagation'] } : {}),
      ...(config['raw.mount.options'] && !filesystem ? { options: config['raw.mount.options'] } : {}),
    };
    return { mounts: [mount], volatile: {} };
  },
  stop: async (context, { signal }) => {
    const { pool, source = '' } = context.config;
    await removeStage(context, signal);
    if (pool) await context.volumes.release(pool, source, { signal });
    return {};
  },
  remove: () => Promise.resolve(),
};
