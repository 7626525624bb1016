import { fakeHost } from '@lxd-ts/host';
import { applyRules, removeRules, ruleset } from './nft.ts';
import { parseCidr } from './subnet.ts';

const signal = AbortSignal.timeout(5_000);
const v4 = parseCidr('10.1.2.1/24')!;
const v6 = parseCidr('fd42:1::1/64')!;

test('chains are replaced as one: flushed, then filled', () => {
  const lines = ruleset('br0', { 'ipv4.nat': 'true' }, [v4]).split('\n');
  expect(lines[0]).toBe('add table inet lxd-ts');
  const flush = lines.indexOf('flush chain inet lxd-ts pstrt.br0');
  const rule = lines.indexOf(
    'add rule inet lxd-ts pstrt.br0 ip saddr 10.1.2.0/24 ip daddr != 10.1.2.0/24 masquerade',
  );
  expect(flush).toBeGreaterThan(0);
  expect(rule).toBeGreaterThan(flush);
});

test('masquerades only where asked, or translates to the address given', () => {
  expect(ruleset('br0', {}, [v4, v6])).not.toMatch(/masquerade|snat ip/);
  const both = ruleset('br0', { 'ipv6.nat': 'true', 'ipv4.nat': 'true', 'ipv4.nat.address': '192.0.2.1' }, [
    v4,
    v6,
  ]);
  expect(both).toContain('snat ip to 192.0.2.1');
  expect(both).toMatch(/ip6 saddr fd42:1::1\/64 .* masquerade/);
});

test('lets DHCP and DNS in, forwards, or rejects what may not be routed', () => {
  const open = ruleset('br0', {}, [v4]);
  expect(open).toContain('in.br0 iifname "br0" meta nfproto ipv4 udp dport { 53, 67 } accept');
  expect(open).toContain('fwd.br0 iifname "br0" meta nfproto ipv4 accept');
  expect(ruleset('br0', { 'ipv4.routing': 'false' }, [v4])).toContain(
    'fwd.br0 oifname "br0" meta nfproto ipv4 reject',
  );
  expect(ruleset('br0', { 'ipv4.firewall': 'false' }, [v4])).not.toContain('add rule');
});

test('removes its own chains, and the table only with the last', async () => {
  const chains = (...names: string[]) => names.map((name) => `\tchain ${name} {\n\t}`).join('\n');
  const ours = ['pstrt.br0', 'fwd.br0', 'in.br0', 'out.br0'];
  const alone = fakeHost(() => ({ stdout: `table inet lxd-ts {\n${chains(...ours)}\n}` }));
  await removeRules(alone, 'br0', signal);
  expect(alone.rulesets).toEqual(['delete table inet lxd-ts\n']);
  const others = fakeHost(() => ({ stdout: `table inet lxd-ts {\n${chains(...ours, 'fwd.br01')}\n}` }));
  await removeRules(others, 'br0', signal);
  expect(others.rulesets[0]?.trim().split('\n')).toEqual(
    ours.map((name) => `delete chain inet lxd-ts ${name}`),
  );
  const none = fakeHost(() => ({ status: 1 }));
  await removeRules(none, 'br0', signal);
  expect(none.rulesets).toEqual([]);
});

test('the table is not deleted under a network that is just added', async () => {
  let chains: string[] = ['pstrt.br0', 'fwd.br0', 'in.br0', 'out.br0'];
  const host = fakeHost(() => ({ stdout: chains.map((name) => `\tchain ${name} {\n\t}`).join('\n') }));
  const seen: string[] = [];
  const watched = {
    ...host,
    nft: async (text: string) => {
      await new Promise((done) => setImmediate(done));
      seen.push(text.split('\n')[0] ?? '');
      chains = text.startsWith('add') ? [...chains, 'fwd.br1'] : [];
    },
  };
  const before = [
    removeRules(watched, 'br0', signal),
    applyRules(watched, 'br1', {}, [v4], signal),
    removeRules(watched, 'br0', signal),
  ];
  await Promise.all(before);
  expect(seen).toEqual(['delete table inet lxd-ts', 'add table inet lxd-ts']);
});

test('a failure keeps nobody from the table', async () => {
  const host = fakeHost();
  let calls = 0;
  const broken = {
    ...host,
    nft: async () => {
      calls += 1;
      if (calls === 1) throw new Error('no netlink');
    },
  };
  const first = applyRules(broken, 'br0', {}, [v4], signal);
  const second = applyRules(broken, 'br1', {}, [v4], signal);
  await expect(first).rejects.toThrow('no netlink');
  await second;
  expect(calls).toBe(2);
});
