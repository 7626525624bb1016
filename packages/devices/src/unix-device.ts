import { chmod, chown, mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFalse, LxdError, projectPrefixed, validators, type Config } from '@lxd-ts/core';
import { anyDevice, checks, escapeField, pathInside } from './checks.ts';
import type { DeviceContext, DeviceDriver } from './driver.ts';

interface Node {
  major: number;
  minor: number;
}

const nodePath = ({ dir, instance, name }: DeviceContext): string =>
  // LXD's way of writing a path as one name.
  join(
    dir,
    'devices',
    projectPrefixed(instance.project, instance.name),
    `unix.${name.replaceAll('-', '--').replaceAll('/', '-')}`,
  );

/** Numbers from the options, or from the node of the host. Undefined: not there, and not required. */
async function numbers(context: DeviceContext, kind: 'c' | 'b'): Promise<Node | undefined> {
  const { config, name } = context;
  if (config['major'] && config['minor'])
    return { major: Number(config['major']), minor: Number(config['minor']) };
  const source = join('/', config['source'] || config['path'] || '');
  const found = await stat(source).catch(() => undefined);
  const right = kind === 'c' ? found?.isCharacterDevice() : found?.isBlockDevice();
  if (found && right)
    return { major: (found.rdev >> 8) & 0xfff, minor: (found.rdev & 0xff) | ((found.rdev >> 12) & 0xfff00) };
  if (isFalse(config['required'])) return undefined;
  const what = kind === 'c' ? 'character' : 'block';
  throw new LxdError('invalid', `Device "${name}": "${source}" is not a ${what} device of this host`);
}

/** The host's id of an id inside, from the map the instance starts with. */
function shifted(instance: { config: Config }, kind: 'Isuid' | 'Isgid', id: number): number {
  const entries = JSON.parse(instance.config['volatile.idmap.next'] || '[]') as {
    Isuid: boolean;
    Isgid: boolean;
    Hostid: number;
    Nsid: number;
    Maprange: number;
  }[];
  const entry = entries.find((one) => one[kind] && id >= one.Nsid && id < one.Nsid + one.Maprange);
  if (entry) return entry.Hostid + id - entry.Nsid;
  if (entries.length === 0) return id; // privileged
  throw new LxdError(
    'invalid',
    `The ${kind === 'Isuid' ? 'user' : 'group'} ${id} is not in the map of the instance`,
  );
}

const hostDevice = (value: string): string | undefined =>
  checks.absolutePath(value) === undefined && join(value).startsWith('/dev/')
    ? undefined
    : 'Path needs to be in /dev';

/** A device node of the host, made anew with its own owner and mode, allowed in the devices cgroup. */
export function unixDevice(type: 'unix-char' | 'unix-block'): DeviceDriver {
  const kind = type === 'unix-char' ? 'c' : 'b';
  return {
    type,
    schema: {
      ...anyDevice(type),
      source: { check: hostDevice, description: 'Path on the host, below /dev', default: 'path' },
      path: { check: checks.pathInside, description: 'Path inside', default: 'source' },
      major: { check: checks.deviceNumber, description: 'Major number', default: "the source's" },
      minor: { check: checks.deviceNumber, description: 'Minor number', default: "the source's" },
      uid: { check: checks.id, description: 'Owner inside', default: '0' },
      gid: { check: checks.id, description: 'Group inside', default: '0' },
      mode: { check: checks.mode, description: 'Mode inside', default: '0660' },
      required: { check: validators.bool, description: 'Whether it must be there at start', default: 'true' },
    },
    capabilities: { hotplug: false, coldplug: true },
    validate: (config) => {
      if (!config['source'] && !config['path']) {
        throw new LxdError(
          'invalid',
          'Unix device entry is missing the required "source" or "path" property',
        );
      }
      if (!config['major'] !== !config['minor']) {
        throw new LxdError('invalid', '"major" and "minor" must be given together');
      }
    },
    start: async (context, { signal }) => {
      const { config, instance, host } = context;
      const node = await numbers(context, kind);
      if (!node) return { lxc: [], volatile: {} };
      const path = nodePath(context);
      await mkdir(dirname(path), { recursive: true, mode: 0o711 });
      await rm(path, { force: true });
      await host.run(['mknod', '--', path, kind, String(node.major), String(node.minor)], { signal });
      await chown(
        path,
        shifted(instance, 'Isuid', Number(config['uid'] || 0)),
        shifted(instance, 'Isgid', Number(config['gid'] || 0)),
      );
      await chmod(path, parseInt(config['mode'] || '0660', 8));
      const target = pathInside(config['path'] || config['source'] || '');
      const rule = `${kind} ${node.major}:${node.minor} rwm`;
      return {
        lxc: [
          ['lxc.mount.entry', `${escapeField(path)} ${escapeField(target)} none bind,create=file 0 0`],
          ['lxc.cgroup.devices.allow', rule],
          ['lxc.cgroup2.devices.allow', rule],
        ],
        volatile: {},
      };
    },
    stop: async (context) => {
      const path = nodePath(context);
      await rm(path, { force: true });
      await rmdir(dirname(path)).catch(() => undefined); // others may still have theirs
      return {};
    },
    remove: () => Promise.resolve(),
  };
}
