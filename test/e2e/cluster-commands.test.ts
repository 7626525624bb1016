import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ownClient, stockClient, type Client } from '../support/client.ts';
import { lxdTs } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { startDaemonCluster, type Cluster } from '../support/cluster.ts';
import { startReferenceCluster } from '../support/reference-cluster.ts';
import { referenceMissing, stockClientMissing } from '../support/reference.ts';

const missing = referenceMissing() ?? stockClientMissing();
const describeHere = missing === undefined ? describe : describe.skip;

const kinds = { 'real LXD': startReferenceCluster, 'lxd-tsd': startDaemonCluster };

/** The commands about clusters with a cluster of real LXDs; what they print is what the stock client prints. */
describeHere.each(['real LXD', 'lxd-tsd'] as const)('cluster commands with %s', (kind) => {
  let dir: string;
  let cluster: Cluster;
  let own: Client;
  let stock: Client;

  const text = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await own(args, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const fails = async (args: readonly string[]): Promise<string> => {
    const { code, stderr } = await own(args);
    expect(code).toBe(1);
    return stderr;
  };
  const same = async (...args: string[]): Promise<string> => {
    const shown = async (client: Client) => {
      const { stdout, ...rest } = await client(args);
      // Real LXD tells them in any order.
      const inOrder = (all: string) => all.split('\n').sort().join('\n');
      return { ...rest, stdout: stdout.replace(/(?<=locations:\n)(- .*\n?)+/g, inOrder) };
    };
    const [ours, theirs] = [await shown(own), await shown(stock)];
    expect(ours).toEqual(theirs);
    return ours.stdout;
  };

  beforeAll(async () => {
    dir = makeTemporary('cluster-commands');
    cluster = await kinds[kind](join(dir, 'cluster'), 2);
    const first = cluster.members[0]?.dir ?? '';
    mkdirSync(join(dir, 'home'));
    own = ownClient(lxdTs, first, join(dir, 'home'));
    stock = stockClient(first, join(dir, 'home'));
  });

  afterAll(async () => {
    const left = await cluster.stopAll();
    rmSync(dir, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  test('lists show what the stock client shows', async () => {
    expect(await same('cluster', 'list')).toMatch(/\| m2 +\| https:\/\/10\.99\.0\.2:8443 +\|/);
    for (const format of ['csv', 'json', 'yaml', 'compact']) {
      await same('cluster', 'list', '-f', format);
      await same('cluster', 'group', 'list', '-f', format);
      await same('config', 'trust', 'list', '-f', format);
    }
    for (const noun of ['storage', 'network', 'profile']) await same(noun, 'list');
    await same('cluster', 'show', 'm1');
    await same('cluster', 'group', 'show', 'default');
    await same('storage', 'show', 'default', '--target', 'm2');
  });

  test('members have configuration, groups and roles', async () => {
    await text(['cluster', 'set', 'm2', 'user.rack=3', 'scheduler.instance=manual']);
    expect(await same('cluster', 'get', 'm2', 'user.rack')).toBe('3\n');
    await text(['cluster', 'unset', 'm2', 'user.rack']);
    expect(await fails(['cluster', 'get', 'm2', 'user.rack'])).toBe(
      'Error: The key "user.rack" does not exist on cluster member "m2"\n',
    );
    expect(await text(['cluster', 'group', 'create', 'gpu'])).toBe('Cluster group gpu created\n');
    expect(await text(['cluster', 'group', 'add', 'm2', 'gpu'])).toBe(
      'Cluster member m2 added to group gpu\n',
    );
    expect(await same('cluster', 'group', 'show', 'gpu')).toContain('- m2');
    expect(await fails(['cluster', 'group', 'add', 'm2', 'gpu'])).toContain('already in group gpu');
    expect(await text(['cluster', 'group', 'remove', 'm2', 'gpu'])).toBe(
      'Cluster member m2 removed from group gpu\n',
    );
    expect(await text(['cluster', 'group', 'assign', 'm2', 'default,gpu'])).toBe(
      'Cluster member m2 added to cluster groups default,gpu\n',
    );
    await text(['cluster', 'group', 'edit', 'gpu'], 'description: with GPUs\nmembers: [m2]\n');
    expect(await same('cluster', 'group', 'list', '-f', 'csv')).toContain('gpu,with GPUs,1');
    expect(await text(['cluster', 'group', 'rename', 'gpu', 'big'])).toBe(
      'Cluster group gpu renamed to big\n',
    );
    await text(['cluster', 'group', 'assign', 'm2', 'default']);
    expect(await text(['cluster', 'group', 'delete', 'big'])).toBe('Cluster group big deleted\n');
    await text(['cluster', 'role', 'add', 'm2', 'event-hub']);
    expect(await same('cluster', 'show', 'm2')).toContain('- event-hub');
    await text(['cluster', 'role', 'remove', 'm2', 'event-hub']);
    expect(await fails(['cluster', 'role', 'remove', 'm2', 'event-hub'])).toContain(
      'Member "m2" does not have role "event-hub"',
    );
  });

  test('tokens for members are given, listed and revoked', async () => {
    const token = (await text(['cluster', 'add', 'm7', '-q'])).trim();
    expect(await same('cluster', 'list-tokens', '-f', 'csv')).toContain(`m7,${token},`);
    expect(await text(['cluster', 'revoke-token', 'm7'])).toBe('Cluster join token for local:m7 deleted\n');
    expect(await fails(['cluster', 'revoke-token', 'm7'])).toBe(
      'Error: No cluster join token for member m7 on remote: local\n',
    );
  });

  test('members are evacuated and restored', async () => {
    expect(await text(['cluster', 'evacuate', 'm2'], 'no\n')).toBe(
      'Are you sure you want to evacuate cluster member "m2"? (yes/no) [default=no]: ',
    );
    expect(await text(['cluster', 'list', '-f', 'csv'])).not.toContain('EVACUATED');
    await text(['cluster', 'evacuate', 'm2', '--force']);
    expect(await same('cluster', 'list', '-f', 'csv')).toMatch(/^m2,.*,EVACUATED,/m);
    await text(['cluster', 'restore', 'm2'], 'yes\n');
    expect(await text(['cluster', 'list', '-f', 'csv'])).toMatch(/^m2,.*,ONLINE,/m);
    expect(await fails(['cluster', 'enable', 'x'])).toBe('Error: This LXD server is already clustered\n');
  });

  test('members are renamed', async () => {
    expect(await text(['cluster', 'rename', 'm2', 'second'])).toBe('Member m2 renamed to second\n');
    expect(await text(['cluster', 'rename', 'second', 'm2'])).toBe('Member second renamed to m2\n');
  });

  test('pools are created member by member', async () => {
    for (const member of ['m1', 'm2']) {
      expect(await text(['storage', 'create', 'more', 'dir', '--target', member])).toBe(
        `Storage pool more pending on member ${member}\n`,
      );
    }
    expect(await text(['storage', 'create', 'more', 'dir'])).toBe('Storage pool more created\n');
    expect(await same('storage', 'list', '-f', 'csv')).toContain('more,dir,,0,CREATED');
    await text(['storage', 'delete', 'more']);
  });

  test('instances go where they are sent', async () => {
    await text(['init', '--empty', 'c1', '--target', 'm2']);
    expect(await text(['list', '-c', 'nL', '-f', 'csv'])).toBe('c1,m2\n');
    await text(['move', 'c1', '--target', 'm1']);
    expect(await text(['list', '-c', 'nL', '-f', 'csv'])).toBe('c1,m1\n');
    await same('list');
    await text(['copy', 'c1', 'c2', '--target', 'm2']);
    expect(await same('list')).toMatch(/\| c2 +\| STOPPED .* m2 +\|/);
    await text(['delete', 'c2']);
    if (kind !== 'real LXD') {
      const explained = await text(['cluster', 'explain', 'c1']);
      expect(explained).toMatch(/m1/);
      expect(explained).toMatch(/m2/);
    }
    await text(['delete', 'c1']);
  });

  test('a member is forced out only by who is sure', async () => {
    const refused = await own(['cluster', 'remove', 'm2', '--force'], { input: 'no\n' });
    expect([refused.code, refused.stderr]).toEqual([1, 'Error: User aborted delete operation\n']);
    expect(await fails(['cluster', 'remove', 'nobody'])).toBe('Error: Cluster member not found\n');
  });
});
