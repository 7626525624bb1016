import { autoAnswers, listenAddress, toPreseed, type Surroundings } from './answers.ts';
import { planRequests, type Existing } from './preseed.ts';
import { interview } from './questions.ts';

const fresh: Surroundings = {
  drivers: ['dir', 'btrfs'],
  pools: [],
  managedBridges: [],
  hasInterface: () => false,
  isBridge: () => false,
};

const flags = {
  'network-address': undefined,
  'network-port': undefined,
  'storage-backend': undefined,
  'storage-create-device': undefined,
  'storage-create-loop': undefined,
  'storage-pool': undefined,
  'trust-password': undefined,
};

const empty: Existing = {
  config: { 'core.https_address': 'x' },
  networks: {},
  pools: {},
  profiles: { default: { description: 'Default', config: { 'user.a': 'b' }, devices: {} } },
  projects: {},
};

const plan = (given: Partial<typeof flags> | Record<string, unknown>, around = fresh, minimal = false) =>
  planRequests(toPreseed(autoAnswers({ ...flags, ...given }, around, minimal)), empty);

describe('admin init --auto', () => {
  it('makes a pool, a bridge and a default profile that uses both', () => {
    expect(plan({ 'storage-backend': 'btrfs', 'storage-create-loop': 5 })).toEqual([
      {
        method: 'POST',
        path: '/1.0/storage-pools',
        body: { name: 'default', driver: 'btrfs', description: '', config: { size: '5GiB' } },
      },
      {
        method: 'POST',
        path: '/1.0/networks',
        body: { name: 'lxdbr0', description: '', config: { 'ipv4.address': 'auto', 'ipv6.address': 'auto' } },
        query: { project: 'default' },
      },
      {
        method: 'PUT',
        path: '/1.0/profiles/default',
        body: {
          description: 'Default',
          config: { 'user.a': 'b' },
          devices: {
            root: { type: 'disk', path: '/', pool: 'default' },
            eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0' },
          },
        },
      },
    ]);
  });

  it('listens where it is told', () => {
    const [first] = plan({ 'network-address': '::', 'network-port': 9443, 'trust-password': 'secret' });
    expect(first).toEqual({
      method: 'PUT',
      path: '/1.0',
      body: { config: { 'core.https_address': '[::]:9443', 'core.trust_password': 'secret' } },
    });
    expect(listenAddress('10.0.0.1', 8443)).toBe('10.0.0.1:8443');
  });

  it('makes nothing twice: what is there is used', () => {
    const around: Surroundings = { ...fresh, pools: ['fast'], managedBridges: ['br0'] };
    const answers = autoAnswers(flags, around, false);
    expect(answers).toMatchObject({ pool: undefined, rootPool: 'fast', bridge: undefined });
  });

  it('takes the next free name for the bridge', () => {
    const around: Surroundings = { ...fresh, hasInterface: (name) => name === 'lxdbr0' };
    expect(autoAnswers(flags, around, false).bridge?.name).toBe('lxdbr1');
  });

  it('prefers btrfs with --minimal', () => {
    expect(autoAnswers(flags, fresh, true).pool?.driver).toBe('btrfs');
    expect(autoAnswers(flags, { ...fresh, drivers: ['dir'] }, true).pool?.driver).toBe('dir');
  });

  it.each([
    [{ 'storage-backend': 'zfs' }, "backend 'zfs' isn't available"],
    [{ 'storage-create-loop': 5 }, "'dir' backend"],
    [
      { 'storage-backend': 'btrfs', 'storage-create-loop': 5, 'storage-create-device': '/dev/x' },
      'Only one of',
    ],
    [{ 'network-port': 1 }, '--network-port'],
    [{ 'trust-password': 'x' }, '--trust-password'],
  ])('refuses %j', (given, message) => {
    expect(() => plan(given)).toThrow(message);
  });
});

describe('a preseed', () => {
  it('changes what is there, and keeps the keys it does not name', () => {
    const existing: Existing = {
      ...empty,
      pools: { default: { driver: 'dir', description: 'old', config: { source: '/x' } } },
      networks: { br0: { description: '', config: { 'ipv4.nat': 'true' } } },
      profiles: { p: { description: '', config: {}, devices: { eth0: { type: 'nic', mtu: '1400' } } } },
    };
    const requests = planRequests(
      {
        storage_pools: [{ name: 'default', driver: 'dir', config: { 'rsync.bwlimit': '1' } }],
        networks: [{ name: 'br0', config: { 'ipv4.address': 'none' } }],
        profiles: [{ name: 'p', devices: { eth0: { name: 'eth0' } } }, { name: 'q' }],
      },
      existing,
    );
    expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      [
        'PUT',
        '/1.0/storage-pools/default',
        { description: 'old', config: { source: '/x', 'rsync.bwlimit': '1' } },
      ],
      [
        'PUT',
        '/1.0/networks/br0',
        { description: '', config: { 'ipv4.nat': 'true', 'ipv4.address': 'none' } },
      ],
      [
        'PUT',
        '/1.0/profiles/p',
        { description: '', config: {}, devices: { eth0: { type: 'nic', mtu: '1400', name: 'eth0' } } },
      ],
      ['POST', '/1.0/profiles', { name: 'q', description: '', config: {}, devices: {} }],
    ]);
  });

  it('asks for nothing when it says nothing', () => {
    expect(planRequests({}, empty)).toEqual([]);
  });
});

describe('the questions', () => {
  const asked = async (answers: string[]) => {
    const questions: string[] = [];
    const complaints: string[] = [];
    const left = [...answers];
    const result = interview(
      (question) => {
        questions.push(question);
        return Promise.resolve(left.shift());
      },
      (text) => complaints.push(text),
      fresh,
    );
    return { result: await result, questions, complaints };
  };

  it('take enter for the default', async () => {
    const { result, questions } = await asked(Array<string>(20).fill(''));
    expect(result.answers).toMatchObject({
      pool: { name: 'default', driver: 'btrfs', config: { size: '30GiB' } },
      rootPool: 'default',
      bridge: { name: 'lxdbr0', ipv4: 'auto', ipv6: 'auto' },
      network: undefined,
    });
    expect(questions[0]).toBe('Do you want to configure a new storage pool? (yes/no) [default=yes]: ');
  });

  it('ask again after an answer that will not do', async () => {
    const { result, complaints } = await asked([
      'maybe',
      'yes',
      'p1',
      'zfs',
      'dir',
      ...Array<string>(12).fill(''),
    ]);
    expect(result.answers.pool).toEqual({ name: 'p1', driver: 'dir', config: {} });
    expect(complaints).toHaveLength(2);
  });

  it('change nothing when nobody answers', async () => {
    await expect(asked(['yes'])).rejects.toThrow('nothing was changed');
  });
});
