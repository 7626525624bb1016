import { fakeHost } from './fake-host.ts';

const { signal } = new AbortController();

test('writes down what is run, and answers as it is told', async () => {
  const host = fakeHost(([program]) => (program === 'bad' ? { status: 1, stderr: 'no' } : { stdout: 'yes' }));
  expect((await host.run(['good', 'x'], { signal })).stdout).toBe('yes');
  await expect(host.run(['bad'], { signal })).rejects.toMatchObject({ code: 'internal' });
  expect((await host.run(['bad'], { signal, allowFailure: true })).status).toBe(1);
  expect(host.ran).toEqual([['good', 'x'], ['bad'], ['bad']]);
});

test('remembers mounts, addresses, rules and sysctls', async () => {
  const host = fakeHost();
  await host.mount({ source: '/dev/loop0', target: '/a', options: ['ro'] }, { signal });
  expect(await host.mounts()).toEqual([{ source: '/dev/loop0', target: '/a', fsType: '', options: ['ro'] }]);
  await host.unmount('/a', { signal });
  await host.unmount('/a', { signal });
  expect(await host.mounts()).toEqual([]);
  await host.ip(['link add br0 type bridge'], { signal });
  await host.nft('table inet x {}', { signal });
  await host.writeSysctl('net/ipv4/ip_forward', '1');
  expect([host.ipLines, host.rulesets]).toEqual([['link add br0 type bridge'], ['table inet x {}']]);
  expect(await host.readSysctl('net/ipv4/ip_forward')).toBe('1');
});
