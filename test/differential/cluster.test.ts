import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { stockClient } from '../support/client.ts';
import { startDaemonCluster, type Cluster } from '../support/cluster.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, stockClientMissing } from '../support/reference.ts';
import { startReferenceCluster } from '../support/reference-cluster.ts';
import { clusterChapters } from './chapters/cluster.ts';
import { knownClusterDifferences } from './cluster-differences.ts';
import { differencesOf } from './normalise.ts';
import { runStep, type Side } from './step.ts';

const missing = referenceMissing() ?? stockClientMissing();

/** The same steps on a cluster of three of each, one after the other; every answer is compared. */
const compare = (): void => {
  const seen = new Set<number>();
  const clusters: Cluster[] = [];
  let dir: string;
  let ours: Side;
  let theirs: Side;

  const sideOf = ({ members: [first] }: Cluster, name: string, image: Side['image']): Side => {
    if (!first) throw new Error('a cluster has a first member');
    const around = join(dir, name);
    const client = stockClient(first.dir, join(dir, `home-${name}`));
    return { dir: around, rest: first.rest, lxc: client, image, memory: { dir: around } };
  };

  beforeAll(async () => {
    dir = makeTemporary('cluster');
    const image = makeBusyboxImage(join(dir, 'image'));
    clusters.push(await startDaemonCluster(join(dir, 'a')));
    clusters.push(await startReferenceCluster(join(dir, 'b')));
    const [a, b] = clusters;
    if (!a || !b) throw new Error('two clusters are compared');
    ours = sideOf(a, 'a', image);
    theirs = sideOf(b, 'b', image);
  });

  afterAll(async () => {
    const left: string[][] = [];
    for (const cluster of clusters) left.push(await cluster.stopAll());
    rmSync(dir, { recursive: true, force: true });
    console.table(
      knownClusterDifferences.map(({ step, field, reason }) => ({
        step: step.source,
        field: field.source,
        reason,
      })),
    );
    expect(left.flat()).toEqual([]);
  });

  const unknownOf = (name: string, found: Map<string, [unknown, unknown]>): object[] =>
    [...found].flatMap(([field, [own, lxd]]) => {
      const known = knownClusterDifferences.flatMap((one, i) =>
        one.step.test(name) && one.field.test(field) ? [i] : [],
      );
      known.forEach((i) => seen.add(i));
      return known.length > 0 ? [] : [{ field, own, lxd }];
    });

  describe.each(Object.entries(clusterChapters))('%s', (_title, steps) => {
    test.each(steps.map((step) => [step.name, step] as const))('%s', async (_name, step) => {
      const [own, lxd] = await Promise.all([runStep(ours, step), runStep(theirs, step)]);
      expect(unknownOf(step.name, differencesOf(own, lxd))).toEqual([]);
    });
  });

  test('every known difference is still one', () => {
    expect(knownClusterDifferences.filter((_, i) => !seen.has(i))).toEqual([]);
  });
};

if (missing) test.skip(`a cluster beside LXD's (${missing})`, () => undefined);
else describe('a cluster of lxd-tsd answers as one of LXD 5.0.2 does', compare);
