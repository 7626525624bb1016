import { checkConfig, type Config, type InstanceSpec } from '@lxd-ts/core';
import { fakeHost } from '@lxd-ts/host';
import { lxcLines } from '../lxc-lines.ts';
import type { DeviceContext, DeviceDriver } from '../driver.ts';

export interface DeviceWorld extends Disposable {
  driver: DeviceDriver;
  /** The least that it takes. */
  config: Config;
  /** The daemon's directory. */
  dir: string;
  /** What is left on the host of all that was started; empty: nothing. */
  left(): string[];
}

const wait = { signal: AbortSignal.timeout(10_000) };

/** An instance with one device, its pool and its network. */
export function instanceWith(config: Config): InstanceSpec {
  return {
    project: 'default',
    name: 'c1',
    type: 'container',
    architecture: 'x86_64',
    ephemeral: false,
    config: { 'volatile.d1.hwaddr': '00:16:3e:00:00:01' },
    devices: { d1: config },
    pools: { p1: { name: 'p1', driver: 'dir', config: {} } },
    networks: { lo: { project: 'default', name: 'lo', type: 'bridge', config: {} } },
  };
}

/** What holds for every device driver, without the kernel. */
export function deviceSuite(makeWorld: () => DeviceWorld): void {
  let world: DeviceWorld;
  let reserved: Map<string, string>;
  let context: DeviceContext;

  beforeEach(() => {
    world = makeWorld();
    reserved = new Map();
    context = {
      host: fakeHost(),
      dir: world.dir,
      instance: instanceWith(world.config),
      name: 'd1',
      config: world.config,
      networks: {
        reserve: async (_network, key, { hostname }) => void reserved.set(key, hostname),
        assign: () => Promise.resolve(undefined),
        release: async (_network, key) => void reserved.delete(key),
      },
      volumes: {
        hold: (pool, volume) => Promise.resolve(`/pools/${pool}/custom/default_${volume}`),
        release: () => Promise.resolve(),
      },
      volumeConfig: () => ({}),
      devDir: '/dev',
      sysDir: '/sys',
      forwarder: '/bin/false',
      randomId: () => 'abcd1234',
    };
  });
  afterEach(() => {
    world[Symbol.dispose]();
  });

  test('is an inert object, every option described, its type among them', () => {
    const { schema, type } = world.driver;
    expect(type).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(schema['type']).toBeDefined();
    for (const [key, { description }] of Object.entries(schema))
      expect([key, description]).not.toEqual([key, '']);
  });

  test('accepts the least it takes and refuses what it does not know', () => {
    const { driver, config } = world;
    expect(() => checkConfig(driver.schema, config, 'device "d1"')).not.toThrow();
    expect(() => driver.validate(config, context.instance)).not.toThrow();
    expect(() => checkConfig(driver.schema, { ...config, nonsense: '1' }, 'device "d1"')).toThrow(/nonsense/);
  });

  test('what start made is gone after stop and remove; again does nothing', async () => {
    const { driver } = world;
    for (let i = 0; i < 2; i++) {
      const started = await driver.start(context, wait);
      const { volatile } = started;
      // It is kept, to be taken back by another daemon.
      expect(JSON.parse(JSON.stringify(started))).toEqual(started);
      for (const [key, value] of lxcLines(started)) {
        expect(key).toMatch(/^lxc\.[a-z0-9.{}_]+$/);
        expect(value).not.toMatch(/[\r\n]/);
      }
      const stopped = await driver.stop(context, wait);
      // What a start wrote down a stop takes back.
      for (const key of Object.keys(volatile)) expect(stopped).toHaveProperty([key], null);
      expect(await driver.stop(context, wait)).toEqual(stopped);
      expect(world.left()).toEqual([]);
    }
    await driver.remove(context, wait);
    await driver.remove(context, wait);
    expect(reserved.size).toBe(0);
  });

  test('a stop without a start does nothing', async () => {
    await world.driver.stop(context, wait);
    expect(world.left()).toEqual([]);
  });
}
