import { join } from 'node:path';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(60_000);

const v4 = (last: number): string => `10.91.7.${last}`;
const v6 = (last: number): string => `fd42:91:7::${last.toString(16)}`;

/** What a container that wants to pass as another can reach: real packets on a real bridge. */
describe('NICs that are kept from speaking as others', () => {
  let ground: Ground;
  let client: Client;

  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const inside = async (name: string, script: string): Promise<string> => {
    const { stdout, stderr } = await client(['exec', name, '--', 'sh', '-c', script]);
    return stdout + stderr;
  };
  const set = (name: string, ...options: string[]) =>
    must('config', 'device', 'set', name, 'eth0', ...options);
  /** Whether one answer comes within a second. */
  const reaches = async (name: string, address: string, source?: string): Promise<boolean> => {
    const from = source === undefined ? '' : `-I ${source}`;
    return /1 packets received/.test(await inside(name, `ping -c 1 -W 1 ${from} ${address}`));
  };
  const soon = (name: string, address: string, source?: string) =>
    waitFor(
      `${address} from ${name}`,
      () => reaches(name, address, source),
      (answered) => answered,
    );
  /** Without waiting whether somebody else has them. */
  const addresses = (name: string, last: number) =>
    inside(
      name,
      `echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up
      ip addr add ${v4(last)}/24 dev eth0; ip addr add ${v6(last)}/64 dev eth0`,
    );

  beforeAll(async () => {
    ground = await prepareGround('nic-filters', (dir) => life.start(dir));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await must('image', 'import', ground.image.unified, '--alias', 'busybox');
    await must(
      'network',
      'create',
      'br7',
      `ipv4.address=${v4(1)}/24`,
      `ipv6.address=${v6(1)}/64`,
      'ipv6.dhcp.stateful=true',
    );
    for (const [name, last] of [
      ['c1', 11],
      ['c2', 12],
    ] as const) {
      const config = ['-d', 'eth0,network=br7', '-d', `eth0,ipv4.address=${v4(last)}`];
      await must('launch', 'busybox', name, ...config, '-d', `eth0,ipv6.address=${v6(last)}`);
      await addresses(name, last);
      await soon(name, v4(1));
      await soon(name, v6(1));
    }
    await soon('c1', v4(12));
  });
  afterAll(() => ground.clear());

  test('by its MAC address', async () => {
    await set('c1', 'security.mac_filtering=true');
    await soon('c1', v4(12));
    const own = (await inside('c1', 'cat /sys/class/net/eth0/address')).trim();
    const wear = (address: string) =>
      inside('c1', `ip link set eth0 down; ip link set eth0 address ${address}; ip link set eth0 up`);
    await wear('00:16:3e:77:77:77');
    await addresses('c1', 11);
    expect([await reaches('c1', v4(1)), await reaches('c1', v4(12))]).toEqual([false, false]);
    await wear(own);
    await addresses('c1', 11);
    await soon('c1', v4(12));
    await set('c1', 'security.mac_filtering=');
  });

  test('by its IPv4 address', async () => {
    await inside('c1', `ip addr add ${v4(99)}/24 dev eth0`);
    await soon('c1', v4(12), v4(99));
    await set('c1', 'security.ipv4_filtering=true');
    // What they have heard before counts no more.
    await inside('c2', 'ip neigh flush all');
    ground.server.inside(['ip', 'neigh', 'flush', 'all']);
    for (const to of [v4(1), v4(12)]) {
      await soon('c1', to, v4(11));
      expect([to, await reaches('c1', to, v4(99))]).toEqual([to, false]);
    }
    // Nor does it answer for an address that it took.
    expect(await reaches('c2', v4(99))).toBe(false);
    await soon('c2', v4(11));
    await set('c1', 'security.ipv4_filtering=');
    await soon('c1', v4(12), v4(99));
    await inside('c1', `ip addr del ${v4(99)}/24 dev eth0`);
  });

  test('by its IPv6 address', async () => {
    await inside('c1', `ip addr add ${v6(0x99)}/64 dev eth0`);
    await soon('c1', v6(12), v6(0x99));
    await set('c1', 'security.ipv6_filtering=true');
    await inside('c2', 'ip neigh flush all');
    ground.server.inside(['ip', 'neigh', 'flush', 'all']);
    for (const to of [v6(1), v6(12)]) {
      await soon('c1', to, v6(11));
      expect([to, await reaches('c1', to, v6(0x99))]).toEqual([to, false]);
    }
    expect(await reaches('c2', v6(0x99))).toBe(false);
    await soon('c2', v6(11));
    await set('c1', 'security.ipv6_filtering=');
    await inside('c1', `ip addr del ${v6(0x99)}/64 dev eth0`);
  });

  test('isolated ports see the bridge, and not each other', async () => {
    for (const name of ['c1', 'c2']) await set(name, 'security.port_isolation=true');
    for (const [name, last] of [
      ['c1', 11],
      ['c2', 12],
    ] as const) {
      await addresses(name, last);
      await soon(name, v4(1));
    }
    expect([await reaches('c1', v4(12)), await reaches('c2', v6(11))]).toEqual([false, false]);
    await set('c1', 'security.port_isolation=');
    await addresses('c1', 11);
    await soon('c1', v4(12));
    await set('c2', 'security.port_isolation=');
    await addresses('c2', 12);
  });

  test('a proxy by NAT brings who comes from outside to the container', async () => {
    const listen = '192.0.2.7';
    await must(
      ...['config', 'device', 'add', 'c1', 'nat', 'proxy', 'nat=true'],
      ...[`listen=tcp:${listen}:8080`, 'connect=tcp:0.0.0.0:80'],
    );
    await soon('c1', v4(1));
    // What is from outside goes back there.
    await inside('c1', `ip route replace default via ${v4(1)}`);
    await inside('c1', '(while true; do echo from c1 | nc -l -p 80; done) >/dev/null 2>&1 &');
    // Another host behind another interface, which knows only the address that is listened on.
    ground.server.inside([
      'sh',
      '-ec',
      `ip link add outer type veth peer name outer-peer; ip netns add outside-$$; ip link set outer-peer netns outside-$$
        ip addr add 198.51.100.1/24 dev outer; ip link set outer up; echo 1 >/proc/sys/net/ipv4/ip_forward
        n="ip netns exec outside-$$"; $n ip addr add 198.51.100.2/24 dev outer-peer; $n ip link set outer-peer up
        $n ip route add default via 198.51.100.1
        for i in 1 2 3 4 5 6 7 8 9 10; do $n busybox nc -w 2 ${listen} 8080 </dev/null >/tmp/answer-$$ && [ -s /tmp/answer-$$ ] && break; sleep 0.2; done
        ip netns del outside-$$; ip link del outer 2>/dev/null || true
        grep -q 'from c1' /tmp/answer-$$; rm /tmp/answer-$$`,
    ]);
    await must('config', 'device', 'remove', 'c1', 'nat');
  });
});
