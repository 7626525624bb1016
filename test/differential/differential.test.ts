import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxImage } from '../support/busybox.ts';
import { stockClient } from '../support/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { makeTemporary } from '../support/ground.ts';
import { referenceMissing, startReference, stockClientMissing } from '../support/reference.ts';
import type { TestServer } from '../support/server.ts';
import { knownDifferences } from './differences.ts';
import { listen, type Lifecycle } from './lifecycle.ts';
import { differencesOf } from './normalise.ts';
import { runStep, type Side } from './step.ts';
import { chapters } from './chapters.ts';

const missing = referenceMissing() ?? stockClientMissing();

/** What is pushed into instances: a file, and a tree. */
function makePushed(dir: string): void {
  writeFileSync(join(dir, 'push-me'), 'me\n', { mode: 0o640 });
  mkdirSync(join(dir, 'push-tree/b'), { recursive: true });
  writeFileSync(join(dir, 'push-tree/a'), 'a\n');
  writeFileSync(join(dir, 'push-tree/b/c'), 'c\n', { mode: 0o755 });
  symlinkSync('/etc/passwd', join(dir, 'push-tree/link'));
}

/** The same steps on both servers, one after the other; every answer is compared. */
const compare = (): void => {
  const seen = new Set<number>();
  let dir: string;
  let ours: Side;
  let theirs: Side;
  const servers: TestServer[] = [];
  const lifecycles: Lifecycle[] = [];

  const sideOf = (server: TestServer, image: Side['image']): Side => ({
    dir: server.dir,
    rest: server.rest,
    lxc: stockClient(server.dir, join(server.dir, '..', `home-${servers.length}`)),
    image,
    memory: { dir: server.dir },
  });

  beforeAll(async () => {
    dir = makeTemporary('differential');
    const image = makeBusyboxImage(join(dir, 'image'));
    servers.push(await startDaemon(join(dir, 'a')));
    servers.push(await startReference(join(dir, 'b')));
    const [a, b] = servers;
    if (!a || !b) throw new Error('two servers are compared');
    ours = sideOf(a, image);
    theirs = sideOf(b, image);
    for (const server of servers) {
      lifecycles.push(await listen(server.dir));
      makePushed(server.dir);
    }
  });

  afterAll(async () => {
    const left = await Promise.all(servers.map((server) => server.stopAll()));
    rmSync(dir, { recursive: true, force: true });
    console.table(
      knownDifferences.map(({ step, field, reason }) => ({ step: step.source, field: field.source, reason })),
    );
    expect(left.flat()).toEqual([]);
  });

  const unknownOf = (name: string, found: Map<string, [unknown, unknown]>): object[] =>
    [...found].flatMap(([field, [own, lxd]]) => {
      const known = knownDifferences.flatMap((one, i) =>
        one.step.test(name) && one.field.test(field) ? [i] : [],
      );
      known.forEach((i) => seen.add(i));
      return known.length > 0 ? [] : [{ field, own, lxd }];
    });

  describe.each(Object.entries(chapters))('%s', (_title, steps) => {
    test.each(steps.map((step) => [step.name, step] as const))('%s', async (_name, step) => {
      const [own, lxd] = await Promise.all([runStep(ours, step), runStep(theirs, step)]);
      expect(unknownOf(step.name, differencesOf(own, lxd))).toEqual([]);
    });
  });

  test('lifecycle events', async () => {
    const [own, lxd] = await Promise.all(lifecycles.map((lifecycle) => lifecycle.end()));
    expect(unknownOf('lifecycle events', differencesOf(own, lxd))).toEqual([]);
  });

  test('every known difference is still one', () => {
    expect(knownDifferences.filter((_, i) => !seen.has(i))).toEqual([]);
  });
};

if (missing) test.skip(`differential (${missing})`, () => undefined);
else describe('lxd-tsd answers as LXD 5.0.2 does', compare);
