import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupDefault } from './limits.ts';
import { networkPriority } from './network-priority.ts';

const key = 'limits.network.priority';
const file = 'net_prio.ifpriomap';

test('a line for every interface, where the kernel has such a file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lxd-ts-sys-'));
  try {
    for (const name of ['lxdbr0', 'eth0']) mkdirSync(join(dir, 'class/net', name), { recursive: true });
    const host = { cgroupFiles: new Set([file]) };
    const settings = await networkPriority({ [key]: '7' }, host, dir);
    expect(settings).toEqual([
      { key, file, device: 'eth0', value: 'eth0 7' },
      { key, file, device: 'lxdbr0', value: 'lxdbr0 7' },
    ]);
    expect(settings.map(cgroupDefault)).toEqual(['eth0 0', 'lxdbr0 0']);
    expect(await networkPriority({}, host, dir)).toEqual([]);
    expect(await networkPriority({ [key]: '7' }, { cgroupFiles: new Set() }, dir)).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
