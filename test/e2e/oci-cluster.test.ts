import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxRootfs } from '../support/busybox.ts';
import { startDaemonCluster, type Cluster } from '../support/cluster.ts';
import { makeTemporary } from '../support/ground.ts';
import { makeLayer, makeOciImage, type OciTestImage } from '../support/oci-image.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** Images of a registry on members that did not fetch them: they come from the member that did, over the real RPC. */
describe('OCI images in a cluster', () => {
  let dir: string;
  let registry: Registry;
  let cluster: Cluster;
  let one: OciTestImage;
  let two: OciTestImage;

  const blobs = (member: number): string[] => {
    const at = join(cluster.members[member]?.dir ?? '', 'images/blobs');
    return existsSync(at) ? readdirSync(at).sort() : [];
  };
  const hexes = (...all: OciTestImage[]): string[] =>
    [...new Set(all.flatMap((image) => image.blobs.map(({ digest }) => digest.slice(7))))].sort();

  beforeAll(async () => {
    dir = makeTemporary('oci-cluster');
    registry = await startRegistry(join(dir, 'registry'));
    const base = makeLayer(dir, makeBusyboxRootfs);
    const more = makeLayer(dir, (root) => writeFileSync(join(root, 'more'), 'more'));
    one = makeOciImage([{ tar: base }], { Cmd: ['sleep', '1000'], StopSignal: 'KILL' }, { kind: 'docker' });
    two = makeOciImage([{ tar: base }, { tar: more, packing: 'zstd' }], { Cmd: ['sleep', '1000'] });
    await registry.push('one', 'latest', one);
    await registry.push('two', 'latest', two);
    process.env['SSL_CERT_FILE'] = registry.certificate;
    cluster = await startDaemonCluster(join(dir, 'cluster'), 2);
    await registry.serveIn(cluster.members[0]?.pid ?? 0);
  });
  afterAll(async () => {
    const left = await cluster.stopAll();
    await registry[Symbol.asyncDispose]();
    delete process.env['SSL_CERT_FILE'];
    rmSync(dir, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  test('go from member to member, without the layers that are there already', async () => {
    const [first] = cluster.members;
    if (!first) throw new Error('no member');
    const { rest } = first;
    await rest.must('PATCH', '/1.0', { config: { 'cluster.images_minimal_replica': '1' } });
    const source = (alias: string) => ({ type: 'image', protocol: 'oci', server: registry.url, alias });
    const create = (name: string, alias: string) =>
      rest.must('POST', '/1.0/instances?target=m2', { name, source: source(alias) });
    await create('c1', 'one');
    expect([blobs(0), blobs(1)]).toEqual([hexes(one), hexes(one)]);
    await create('c2', 'two');
    expect([blobs(0), blobs(1)]).toEqual([hexes(one, two), hexes(one, two)]);
    await rest.must('PUT', '/1.0/instances/c2/state', { action: 'start' });
    const exec = { command: ['cat', '/more'], 'record-output': true, 'wait-for-websocket': false };
    const { metadata } = await rest.must('POST', '/1.0/instances/c2/exec', exec);
    const { output } = (metadata as { metadata: { output: Record<string, string> } }).metadata;
    expect((await rest.send('GET', output['1'] ?? '')).text).toBe('more');

    await rest.must('DELETE', `/1.0/images/${one.fingerprint}`);
    await waitFor(
      'the blobs to go',
      () => Promise.resolve([blobs(0), blobs(1)]),
      (found) => found.every((all) => all.join() === hexes(two).join()),
    );
    await rest.must('DELETE', `/1.0/images/${two.fingerprint}`);
    expect([blobs(0), blobs(1)]).toEqual([[], []]);
    // What is damaged on the member that has it is not passed on.
    await rest.must('POST', '/1.0/images', { source: source('two') });
    const file = join(first.dir, 'images/blobs', two.layers[1]?.digest.slice(7) ?? '');
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(7, 12);
    writeFileSync(file, bytes);
    await expect(create('c3', 'two')).rejects.toThrow(/digest of a layer doesn't match/);
    expect(blobs(1)).toEqual([]);
  });
});
