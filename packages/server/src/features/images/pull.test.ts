import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import { fakeAgent, harness } from '../testing/harness.ts';
import { ImagePuller } from './pull.ts';

const fingerprint = 'a'.repeat(64);
const options = { project: 'default', public: false, autoUpdate: false, cached: true, profiles: [] };

let server: Server;
let open = 0;
let url: string;

// The file of its one image never ends.
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.method === 'HEAD') {
      response.setHeader('LXD-Image-Hash', fingerprint).setHeader('LXD-Image-URL', `${url}/file`).end();
      return;
    }
    open += 1;
    response.once('close', () => (open -= 1));
    response.write('x');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const until = async (done: () => boolean) => {
  for (let tries = 0; tries < 300 && !done(); tries++) await sleep(5);
  expect(done()).toBe(true);
};

/** A member that takes in the first byte of an image, and is then told what becomes of it. */
async function setUp() {
  const begun: PromiseWithResolvers<void>[] = [];
  const { agent } = fakeAgent({
    receiveImage: async (parts: AsyncIterable<ImagePart>, { signal }: { signal: AbortSignal }) => {
      const end = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => end.reject(signal.reason as Error));
      for await (const { body } of parts)
        for await (const _ of body as AsyncIterable<Buffer>) {
          begun.push(end);
          await end.promise;
          const received = { fingerprint, size: 1, architecture: 'x86_64', type: 'container' };
          return { ...received, properties: {}, files: [], creationDate: 0, expiryDate: 0 } as ReceivedImage;
        }
      throw new LxdError('invalid', 'EOF');
    },
  });
  const h = await harness({ m1: agent });
  const puller = new ImagePuller(h.services);
  const pull = (controller = new AbortController()) => {
    const running = { id: 'x', signal: controller.signal, update: () => undefined } as RunningOperation;
    const work = puller.pull({ protocol: 'direct', server: '', url }, options, running);
    work.catch(() => undefined);
    return { work, cancel: () => controller.abort(new LxdError('cancelled', 'It was cancelled')) };
  };
  return { h, puller, begun, pull, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

test('who waits for an image that another fetches fetches it himself when the other is cancelled', async () => {
  await using at = await setUp();
  const [first, second] = [at.pull(), at.pull()];
  await until(() => at.begun.length === 1);
  first.cancel();
  await expect(first.work).rejects.toThrow('It was cancelled');
  await until(() => at.begun.length === 2);
  at.begun[1]?.resolve();
  expect(await second.work).toMatchObject({ fetched: true, image: { fingerprint } });
});

test('who waits may be cancelled, and the other goes on', async () => {
  await using at = await setUp();
  const [first, second] = [at.pull(), at.pull()];
  await until(() => at.begun.length === 1);
  second.cancel();
  await expect(second.work).rejects.toThrow('It was cancelled');
  at.begun[0]?.resolve();
  expect(await first.work).toMatchObject({ fetched: true });
});

test('what is kept up to date anyway is not asked for, unless another certificate is trusted', async () => {
  await using at = await setUp();
  const source = { server: 'https://127.0.0.1:1', protocol: 'simplestreams' as const, alias: 'one' };
  const image = {
    ...{ project: 'default', fingerprint, filename: '', size: 1, architecture: 'x86_64' },
    ...{ type: 'container' as const, public: false, autoUpdate: true, cached: true, properties: {} },
    ...{ profiles: [], createdAt: '', expiresAt: '', lastUsedAt: '', uploadedAt: '', members: ['m1'] },
    source: { ...source, certificate: 'one' },
  };
  const signal = AbortSignal.timeout(5_000);
  await at.h.records.transaction().create('images', ['default', fingerprint], image).commit({ signal });
  const running = { id: 'x', signal, update: () => undefined } as RunningOperation;
  const pull = (certificate: string) => at.puller.pull({ ...source, certificate }, options, running);
  expect(await pull('one')).toMatchObject({ fetched: false, image: { fingerprint } });
  await expect(pull('')).rejects.toMatchObject({ code: 'unavailable' });
});

test('what fails for one fails for all who wait, and nothing is fetched any more', async () => {
  await using at = await setUp();
  const [first, second] = [at.pull(), at.pull()];
  await until(() => at.begun.length === 1);
  at.begun[0]?.reject(new LxdError('invalid', 'not what was promised'));
  await expect(first.work).rejects.toThrow('not what was promised');
  await expect(second.work).rejects.toThrow('not what was promised');
  await until(() => open === 0);
});
