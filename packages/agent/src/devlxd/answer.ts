import { isFalse, isTrue, type Config, type InstanceSpec } from '@lxd-ts/core';

/** What `/dev/lxd/sock` answers, as LXD's does. */
export interface DevLxdAnswer {
  status: 200 | 403 | 404;
  type: 'application/json' | 'application/octet-stream' | 'text/plain; charset=utf-8';
  body: string;
}

const json = (value: unknown): DevLxdAnswer => ({
  status: 200,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});
const plain = (body: string): DevLxdAnswer => ({ status: 200, type: 'application/octet-stream', body });
const refused = (status: 403 | 404, body: string): DevLxdAnswer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

/** Whether it is offered. */
export const hasDevLxd = (config: Config): boolean => !isFalse(config['security.devlxd']);

/** The keys that an instance may know of itself. */
export const isShown = (key: string): boolean => key.startsWith('user.') || key.startsWith('cloud-init.');

/** Its devices, with the addresses that were made up for its NICs. */
export function shownDevices({ config, devices }: InstanceSpec): InstanceSpec['devices'] {
  return Object.fromEntries(
    Object.entries(devices).map(([name, device]) => {
      const hwaddr = config[`volatile.${name}.hwaddr`];
      return [name, device['type'] === 'nic' && hwaddr ? { hwaddr, ...device } : device];
    }),
  );
}

function metaData({ name, config }: InstanceSpec): string {
  const id = config['volatile.cloud-init.instance-id'] ?? name;
  return `#cloud-config\ninstance-id: ${id}\nlocal-hostname: ${name}\n${config['user.meta-data'] ?? ''}`;
}

const imagePath = /^\/1\.0\/images\/([^/]+)\/export$/;

/** The image that it asks for, if it may have images at all. */
export function exportedImage(path: string, { config }: InstanceSpec): string | undefined {
  return isTrue(config['security.devlxd.images']) ? imagePath.exec(path)?.[1] : undefined;
}

/**
 * @param path without its query
 * @param location name of the member; `none` outside clusters
 */
export function devLxdAnswer(path: string, spec: InstanceSpec, location: string): DevLxdAnswer {
  const { config } = spec;
  const key = /^\/1\.0\/config\/([^/]+)$/.exec(path)?.[1];
  if (key !== undefined) {
    if (!isShown(key)) return refused(403, 'not authorized');
    const value = Object.hasOwn(config, key) ? config[key] : undefined;
    return value === undefined ? refused(404, 'not found') : plain(value);
  }
  if (imagePath.test(path)) return refused(403, 'not authorized');
  switch (path) {
    case '/':
      return json(['/1.0']);
    case '/1.0':
      return json({ state: '', api_version: '1.0', instance_type: 'container', location });
    case '/1.0/config':
      return json(
        Object.keys(config)
          .filter(isShown)
          .map((name) => `/1.0/config/${name}`),
      );
    case '/1.0/devices':
      return json(shownDevices(spec));
    case '/1.0/meta-data':
      return plain(metaData(spec));
    default:
      return refused(404, '404 page not found');
  }
}

export type DevLxdEvent =
  | { type: 'config'; metadata: { key: string; old_value: string; value: string } }
  | {
      type: 'device';
      metadata: { name: string; action: 'added' | 'removed' | 'updated'; config: Record<string, string> };
    };

/** What an instance is told when it was changed. */
export function devLxdEvents(before: InstanceSpec, after: InstanceSpec): DevLxdEvent[] {
  const keys = [...new Set([...Object.keys(before.config), ...Object.keys(after.config)])].filter(isShown);
  const config = keys
    .map((key) => ({ key, old_value: before.config[key] ?? '', value: after.config[key] ?? '' }))
    .filter(({ old_value, value }) => old_value !== value)
    .map((metadata): DevLxdEvent => ({ type: 'config', metadata }));
  const [old, now] = [shownDevices(before), shownDevices(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const devices = names.flatMap((name): DevLxdEvent[] => {
    const [was, is] = [old[name], now[name]];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    const action = !was ? 'added' : is ? 'updated' : 'removed';
    return [{ type: 'device', metadata: { name, action, config: { ...(is ?? was) } } }];
  });
  return [...config, ...devices];
}
