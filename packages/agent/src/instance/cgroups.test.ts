import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupNames, removeCgroups, removePivot } from './cgroups.ts';

test('two daemons on one host never share a cgroup', () => {
  const [a, b] = [cgroupNames('/a', 'c1'), cgroupNames('/b', 'c1')];
  const all = [a, b].flatMap(({ monitor, payload, pivot }) => [monitor, payload, pivot]);
  expect(new Set(all).size).toBe(6);
  expect(cgroupNames('/a', 'c2').pivot).toBe(a.pivot);
});

test('removes in every hierarchy what is empty, and nothing that is not named', async () => {
  const root = mkdtempSync(join(tmpdir(), 'lxd-ts-cgroups-'));
  try {
    for (const path of ['x', 'memory/x/sub/sub', 'memory/y', 'pids/x/busy'])
      mkdirSync(join(root, path), { recursive: true });
    // A directory with a file stands for a cgroup with a process: neither can be removed.
    writeFileSync(join(root, 'pids/x/busy/file'), '');
    await removeCgroups(['x', 'z'], { root });
    const left = ['x', 'memory/x', 'memory/y', 'pids/x/busy'].filter((path) => existsSync(join(root, path)));
    expect(left).toEqual(['memory/y', 'pids/x/busy']);
  } finally {
    rmSync(root, { recursive: true });
  }
});

describe('the pivot', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'lxd-ts-cgroups-'));
    mkdirSync(join(root, 'unified/p/lxc.pivot'), { recursive: true });
    writeFileSync(join(root, 'unified/p/lxc.pivot/monitor'), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('goes once the last monitor has left it', async () => {
    let asked = 0;
    const isUsed = () => {
      if (++asked === 3) rmSync(join(root, 'unified/p/lxc.pivot/monitor'));
      return false;
    };
    await removePivot('p', isUsed, { root });
    expect(existsSync(join(root, 'unified/p'))).toBe(false);
    expect(asked).toBe(3);
  });

  it("stays for another's monitor", async () => {
    rmSync(join(root, 'unified/p/lxc.pivot/monitor'));
    await removePivot('p', () => true, { root });
    expect(existsSync(join(root, 'unified/p'))).toBe(true);
  });
});
