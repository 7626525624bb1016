import { lstat, mkdir, open, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFalse, isTrue, LxdError, parseSize, projectPrefixed, toLxdError, validators } from '@lxd-ts/core';
import { checks } from '../checks.ts';
import type { DeviceContext, DeviceDriver } from '../driver.ts';

const size = (value: string): string | undefined => {
  try {
    parseSize(value);
    return undefined;
  } catch (error) {
    return toLxdError(error).message;
  }
};

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

/** A space would end the field of a mount entry. */
const escaped = (path: string): string =>
  path.replaceAll('\\', '\\134').replaceAll(' ', '\\040').replaceAll('\t', '\\011');

const sourceOf = ({ config, volumePath }: DeviceContext): string =>
  config['pool'] ? volumePath(config['pool'], config['source'] ?? '') : (config['source'] ?? '');

/**
 * The source is bound here first, by the host: in its user namespace a container may not take one mount out of a tree of
 * several, and this one stands alone.
 */
const stagePath = ({ dir, instance, name }: DeviceContext): string =>
  join(dir, 'devices', projectPrefixed(instance.project, instance.name), `disk.${encodeURIComponent(name)}`);

const optional = ({ config }: DeviceContext): boolean =>
  isTrue(config['optional']) || isFalse(config['required']);

/** A directory or file of the host, or a volume of a pool, at a path inside. The root disk is the agent's own concern. */
export const disk: DeviceDriver = {
  type: 'disk',
  schema: {
    type: { check: validators.any, required: true, description: 'disk' },
    path: { check: checks.absolutePath, required: true, description: 'Where it is inside the instance' },
    source: { check: validators.any, description: 'Path on the host, or name of a volume' },
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
    size: { check: size, description: 'Size limit of the root disk', live: true },
    'boot.priority': { check: validators.unsigned, description: 'Order of booting (virtual machines only)' },
    'raw.mount.options': { check: validators.any, description: 'More mount options' },
  },
  capabilities: { hotplug: false, coldplug: true },
  validate: (config, { pools }) => {
    const { pool, source, path, propagation, recursive } = config;
    if (pool && !pools[pool]) throw new LxdError('invalid', `The "${pool}" storage pool doesn't exist`);
    if (path === '/') {
      if (!pool) throw new LxdError('invalid', 'Root disk entry must have a "pool" property set');
      if (source) throw new LxdError('invalid', 'Root disk entry may not have a "source" property set');
      return;
    }
    if (!source) throw new LxdError('invalid', 'Disk entry is missing the required "source" property');
    if (!pool && !source.startsWith('/')) throw new LxdError('invalid', '"source" must be an absolute path');
    if (propagation && recursive && !isTrue(recursive)) {
      throw new LxdError('invalid', '"propagation" needs "recursive" to be true');
    }
  },
  start: async (context, { signal }) => {
    const { config } = context;
    const source = sourceOf(context);
    const found = await stat(source).catch(() => undefined);
    if (!found) {
      if (optional(context)) return { lxc: [], volatile: {} };
      throw new LxdError('invalid', `Missing source path "${source}" for disk "${context.name}"`);
    }
    const options = [
      isTrue(config['recursive']) ? 'rbind' : 'bind',
      isTrue(config['readonly']) ? 'ro' : 'rw',
      `create=${found.isDirectory() ? 'dir' : 'file'}`,
      ...(isTrue(config['shift']) ? ['idmap=container'] : []),
      ...(config['propagation'] ? [config['propagation']] : []),
      ...(config['raw.mount.options'] ? [config['raw.mount.options']] : []),
    ];
    const path = stagePath(context);
    await mkdir(dirname(path), { recursive: true, mode: 0o711 });
    if (found.isDirectory()) await mkdir(path, { recursive: true, mode: 0o700 });
    else await (await open(path, 'a', 0o600)).close();
    await context.host.unmount(path, { signal, lazy: true });
    const bind = isTrue(config['recursive']) ? 'rbind' : 'bind';
    await context.host.mount({ source, target: path, options: [bind] }, { signal });
    const target = (config['path'] ?? '').replace(/^\/+/, '');
    const entry = `${escaped(path)} ${escaped(target)} none ${options.join(',')} 0 0`;
    return { lxc: [['lxc.mount.entry', entry]], volatile: {} };
  },
  stop: async (context, { signal }) => {
    const path = stagePath(context);
    const found = await lstat(path).catch(() => undefined);
    if (!found) return {};
    await context.host.unmount(path, { signal, lazy: true });
    // Never a tree: what is still mounted there would be emptied.
    if ((await lstat(path)).isDirectory()) await rmdir(path);
    else await rm(path);
    await rmdir(dirname(path)).catch(() => undefined); // others may still have theirs
    return {};
  },
  remove: () => Promise.resolve(),
};
