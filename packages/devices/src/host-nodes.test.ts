import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '@lxd-ts/core';
import { fakeHost, type FakeHost } from '@lxd-ts/host';
import { driverFor } from './registry.ts';
import { instanceWith } from './testing/device-suite.ts';

let top: string;
let host: FakeHost;
/** By the emulator of a TPM. */
let said: string;

/** A file of a sysfs of our own. */
function put(path: string, text: string): void {
  const at = join(top, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, `${text}\n`);
}

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'lxd-ts-sysfs-'));
  // A user has no right to make nodes, and none is made: what would be is told by the fake.
  host = fakeHost(([program, , path]) => {
    if (program === 'mknod') writeFileSync(path ?? '', '');
    return program === 'swtpm' ? { stdout: said } : undefined;
  });
  said = 'New TPM device: /dev/tpm3 (major/minor = 253/3)\n';
  const usb = 'sys/devices/usb1/1-2';
  put(`${usb}/idVendor`, '0403');
  put(`${usb}/idProduct`, '6001');
  put(`${usb}/busnum`, '1');
  put(`${usb}/devnum`, '7');
  put(`${usb}/dev`, '189:6');
  put(`${usb}/1-2:1.0/ttyUSB0/dev`, '188:0');
  put(`${usb}/1-2:1.0/ttyUSB0/uevent`, 'MAJOR=188\nMINOR=0\nDEVNAME=ttyUSB0');
  for (const [link, to] of [
    ['bus/usb/devices/1-2', 'devices/usb1/1-2'],
    ['dev/char/188:0', 'devices/usb1/1-2/1-2:1.0/ttyUSB0'],
    ['dev/char/189:6', 'devices/usb1/1-2'],
  ] as const) {
    mkdirSync(dirname(join(top, 'sys', link)), { recursive: true });
    symlinkSync(join(top, 'sys', to), join(top, 'sys', link));
  }
  for (const [index, vendor, product, pci] of [
    [0, '0x8086', '0x1234', '0000:00:02.0'],
    [1, '0x10de', '0x1db6', '0000:0A:00.0'],
  ] as const) {
    const device = `sys/class/drm/card${index}/device`;
    put(`${device}/vendor`, vendor);
    put(`${device}/device`, product);
    put(`${device}/uevent`, `DRIVER=x\nPCI_SLOT_NAME=${pci}`);
    put(`${device}/drm/card${index}/dev`, `226:${index}`);
    put(`${device}/drm/renderD${128 + index}/dev`, `226:${128 + index}`);
  }
  put('sys/class/drm/card0-HDMI-A-1/status', 'connected');
  put('proc/driver/nvidia/gpus/0000:0a:00.0/information', 'Model: \t x\nDevice Minor: \t 0');
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

const wait = { signal: AbortSignal.timeout(10_000) };

async function found(config: Config): Promise<string[]> {
  const driver = driverFor(config, {});
  const { mounts = [] } = await driver.start(
    {
      host,
      dir: join(top, 'daemon'),
      instance: { ...instanceWith(config), config: { 'volatile.idmap.next': ownMap() } },
      name: 'd1',
      config,
      networks: {
        reserve: () => Promise.resolve(),
        assign: () => Promise.resolve(undefined),
        release: () => Promise.resolve(),
      },
      volumes: { hold: () => Promise.resolve(''), release: () => Promise.resolve() },
      volumeConfig: () => ({}),
      devDir: join(top, 'dev'),
      sysDir: join(top, 'sys'),
      forwarder: '/bin/false',
      randomId: () => '1',
    },
    wait,
  );
  return mounts.map(({ target, rule }) => `${target} ${rule}`);
}

/** Whoever runs this is root inside: he may give his files to nobody else. */
const ownMap = () =>
  JSON.stringify([
    { Isuid: true, Isgid: false, Hostid: process.getuid?.() ?? 0, Nsid: 0, Maprange: 1 },
    { Isuid: false, Isgid: true, Hostid: process.getgid?.() ?? 0, Nsid: 0, Maprange: 1 },
  ]);

test('USB devices are told by maker and model', async () => {
  const node = 'dev/bus/usb/001/007 c 189:6 rwm';
  expect(await found({ type: 'usb' })).toEqual([node]);
  expect(await found({ type: 'usb', vendorid: '0403', productid: '6001' })).toEqual([node]);
  expect(await found({ type: 'usb', vendorid: '0404' })).toEqual([]);
  await expect(found({ type: 'usb', vendorid: '0404', required: 'true' })).rejects.toThrow(
    /Required USB device not found/,
  );
});

test('what comes with a USB device is plugged by its own node', async () => {
  expect(await found({ type: 'unix-hotplug', vendorid: '0403' })).toEqual(['dev/ttyUSB0 c 188:0 rwm']);
  expect(await found({ type: 'unix-hotplug', productid: '6002' })).toEqual([]);
});

test('graphics cards are told by number, address, maker and model; all by nothing', async () => {
  const first = ['dev/dri/card0 c 226:0 rwm', 'dev/dri/renderD128 c 226:128 rwm'];
  const second = ['dev/dri/card1 c 226:1 rwm', 'dev/dri/renderD129 c 226:129 rwm'];
  expect(await found({ type: 'gpu' })).toEqual([...first, ...second]);
  expect(await found({ type: 'gpu', id: '0' })).toEqual(first);
  expect(await found({ type: 'gpu', pci: '0a:00.0' })).toEqual(second);
  expect(await found({ type: 'gpu', vendorid: '8086', productid: '1234' })).toEqual(first);
  await expect(found({ type: 'gpu', id: '7' })).rejects.toThrow(/Failed to detect requested GPU device/);
});

test('a TPM is made by the emulator, which has its state beside the root', async () => {
  const config = { type: 'tpm', path: '/dev/tpm0', pathrm: '/dev/tpmrm0' };
  await expect(found(config)).rejects.toThrow(/no \/dev\/vtpmx/);
  expect(host.ran).toEqual([]);
  put('dev/vtpmx', '');
  await expect(found(config)).rejects.toThrow(/no resource manager for tpm3/);
  put('sys/class/tpmrm/tpmrm3/dev', '252:65539');
  expect(await found(config)).toEqual(['dev/tpm0 c 253:3 rwm', 'dev/tpmrm0 c 252:65539 rwm']);
  const state = join(top, 'daemon/containers/c1/tpm.d1');
  expect(host.ran).toContainEqual(
    expect.arrayContaining(['--vtpm-proxy', `dir=${state}`, `file=${state}/swtpm.pid`]),
  );
  said = 'no such thing';
  await expect(found(config)).rejects.toThrow(/made no device: no such thing/);
});
