import { chmod, chown, mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectPrefixed, type ConfigSchema } from '@lxd-ts/core';
import { anyDevice, checks, pathInside } from './checks.ts';
import type { DeviceContext, DeviceDriver, InsideMount } from './driver.ts';
import { shifted } from './ids.ts';

/** A device of the host, by its numbers, and where it is to be inside. */
export interface HostNode {
  kind: 'c' | 'b';
  major: number;
  minor: number;
  path: string;
}

export interface NodeDevice {
  type: string;
  schema: ConfigSchema;
  validate: DeviceDriver['validate'];
  /** What the host has of it now. @throws LxdError when it must be there and is not */
  find(context: DeviceContext): Promise<HostNode[]>;
  defaultMode?: string;
}

/** LXD's way of writing a path as one name. */
const asName = (path: string): string => path.replaceAll('-', '--').replaceAll('/', '-');

/** One directory per device: what is in it is its own. */
const nodesDir = ({ dir, instance, name }: DeviceContext): string =>
  join(dir, 'devices', projectPrefixed(instance.project, instance.name), `unix.${asName(name)}`);

export const ownerSchema: ConfigSchema = {
  uid: { check: checks.id, description: 'Owner inside', default: '0' },
  gid: { check: checks.id, description: 'Group inside', default: '0' },
  mode: { check: checks.mode, description: 'Mode inside', default: '0660' },
};

export const numbersOf = (rdev: number): { major: number; minor: number } => ({
  major: (rdev >> 8) & 0xfff,
  minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00),
});

/** Makes the node, or leaves one that is right as it is: it may be in use. */
async function makeNode(
  context: DeviceContext,
  path: string,
  { kind, major, minor }: HostNode,
  mode: string,
  signal: AbortSignal,
): Promise<void> {
  const { config, instance, host } = context;
  const found = await stat(path).catch(() => undefined);
  const numbers = found && numbersOf(found.rdev);
  const same =
    (kind === 'c' ? found?.isCharacterDevice() : found?.isBlockDevice()) &&
    numbers?.major === major &&
    numbers.minor === minor;
  if (!same) {
    await rm(path, { force: true });
    await host.run(['mknod', '--', path, kind, String(major), String(minor)], { signal });
  }
  await chown(
    path,
    shifted(instance, 'Isuid', Number(config['uid'] || 0)),
    shifted(instance, 'Isgid', Number(config['gid'] || 0)),
  );
  await chmod(path, parseInt(config['mode'] || mode, 8));
}

async function removeNodes(context: DeviceContext): Promise<void> {
  const at = nodesDir(context);
  await rm(at, { recursive: true, force: true });
  await rmdir(dirname(at)).catch(() => undefined); // others may still have theirs
}

/** The nodes made anew with their own owner and mode, allowed in the devices cgroup. */
export async function startNodes(
  context: DeviceContext,
  nodes: readonly HostNode[],
  signal: AbortSignal,
  mode = '0660',
): Promise<InsideMount[]> {
  if (nodes.length === 0) {
    await removeNodes(context);
    return [];
  }
  const at = nodesDir(context);
  await mkdir(at, { recursive: true, mode: 0o711 });
  const wanted = nodes.map((node) => ({ node, target: pathInside(node.path) }));
  const names = wanted.map(({ target }) => asName(target));
  for (const name of await readdir(at)) if (!names.includes(name)) await rm(join(at, name));
  const mounts: InsideMount[] = [];
  for (const { node, target } of wanted) {
    const source = join(at, asName(target));
    await makeNode(context, source, node, mode, signal);
    mounts.push({ source, target, kind: 'file', rule: `${node.kind} ${node.major}:${node.minor} rwm` });
  }
  return mounts;
}

export { removeNodes as stopNodes };

/** A driver for devices that are nodes of the host. */
export function nodeDevice({ type, schema, validate, find, defaultMode }: NodeDevice): DeviceDriver {
  return {
    type,
    schema: { ...anyDevice(type), ...ownerSchema, ...schema },
    capabilities: { hotplug: true, coldplug: true, follows: true },
    validate,
    start: async (context, { signal }) => ({
      mounts: await startNodes(context, await find(context), signal, defaultMode),
      volatile: {},
    }),
    stop: async (context) => {
      await removeNodes(context);
      return {};
    },
    remove: () => Promise.resolve(),
  };
}
