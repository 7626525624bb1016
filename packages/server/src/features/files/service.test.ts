import type { Duplex } from 'node:stream';
import type { Pending } from '@lxd-ts/state';
import { createInstance } from '../instances/create.ts';
import { instancesService } from '../instances/service.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { FilesService } from './service.ts';
import { fakeSftp as fake, sftp } from '@lxd-ts/rpc';

const { answer, fakeSftp } = fake;
const { answers, requests, u32 } = sftp;

const signal = AbortSignal.timeout(20_000);
const ref = { project: 'default', name: 'c1' };

async function setUp() {
  const streams: Duplex[] = [];
  const fake = fakeAgent({
    files: async ({ name }) => {
      // Whoever looks at anything hangs.
      const { stream } = fakeSftp((type) =>
        type === requests.stat ? answer(answers.attributes, u32(0)) : undefined,
      );
      streams.push(stream);
      fake.calls.push(`files ${name}`);
      return stream;
    },
  });
  const world = await harness({ m1: fake.agent });
  const { context } = instancesService(world.services, drivers);
  const caller = { protocol: 'unix', trusted: true, username: 'root' } as const;
  const body = { name: 'c1', source: { type: 'none' } } as const;
  await world.finish(createInstance(context, { project: 'default', body, caller }));
  const files = new FilesService(context);
  const pending = async (kind: Pending['kind'] | undefined) => {
    await world.records.modify(
      'instances',
      ['default', 'c1'],
      ({ pending: _, ...value }) =>
        kind === undefined ? value : { ...value, pending: { kind, operation: 'o', server: 'm1' } },
      { signal },
    );
  };
  return { ...world, fake, files, streams, pending };
}

describe('files of an instance', () => {
  it('are asked of the member that has it, by a session for all', async () => {
    const { fake, files } = await setUp();
    fake.calls.length = 0;
    const looks = [1, 2, 3].map(() => files.with(ref, signal, (client) => client.stat('/x')));
    await Promise.all(looks);
    expect(fake.calls).toEqual(['files c1']);
    files[Symbol.dispose]();
  });

  it('are those of nobody, where there is no such instance', async () => {
    const { files } = await setUp();
    expect(() => files.check({ project: 'default', name: 'nobody' })).toThrow('Instance not found');
  });

  it('are left alone while they are made, or go elsewhere', async () => {
    const { files, pending } = await setUp();
    for (const kind of ['create', 'move'] as const) {
      await pending(kind);
      expect(() => files.check(ref)).toThrow(`Instance is busy running a "${kind}" operation`);
    }
    for (const kind of ['snapshot', 'update', undefined] as const) {
      await pending(kind);
      expect(() => files.check(ref)).not.toThrow();
    }
  });

  it('are not waited for by who has gone away, and their session ends with the last', async () => {
    const { files, streams } = await setUp();
    const controller = new AbortController();
    const hanging = files.with(ref, controller.signal, (client) => client.lstat('/hangs'));
    await files.with(ref, signal, (client) => client.stat('/x'));
    controller.abort(new Error('gone'));
    await expect(hanging).rejects.toThrow('gone');
    expect(streams[0]?.destroyed).toBe(true);
    await files.with(ref, signal, (client) => client.stat('/x'));
    expect(streams).toHaveLength(2);
    files[Symbol.dispose]();
  });

  it('are told of', async () => {
    const { files, events } = await setUp();
    events.length = 0;
    files.tell('pushed', { project: 'blue', name: 'c1' }, '/etc/x');
    expect(events).toEqual([
      {
        action: 'instance-file-pushed',
        source: '/1.0/instances/c1?project=blue',
        project: 'blue',
        context: { path: '/etc/x' },
      },
    ]);
  });
});
