import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { LxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { Agent, ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import type { OciDescription } from './oci.ts';
import { OciFetcher } from './oci-fetcher.ts';

/** A member that keeps blobs, and a registry that counts who asks it. */
function stage() {
  const kept = new Set<string>();
  const asked: string[] = [];
  const received: string[] = [];
  let refuse = 0;
  const agent = {
    missingBlobs: (digests: readonly string[]) =>
      Promise.resolve(digests.filter((digest) => !kept.has(digest))),
    receiveImage: async (parts: AsyncIterable<ImagePart>, { expected = '' }: { expected?: string }) => {
      if (refuse > 0) {
        refuse -= 1;
        throw new LxdError('precondition-failed', 'Pieces of the image are missing');
      }
      for await (const { digest, body } of parts) {
        let text = '';
        for await (const data of body as AsyncIterable<Buffer>) text += data.toString();
        if (text === 'bad') throw new LxdError('invalid', 'not what was promised');
        if (digest !== undefined) kept.add(digest);
      }
      received.push(expected);
      return { fingerprint: expected } as ReceivedImage;
    },
  } as unknown as Agent;
  const image = (fingerprint: string, digests: readonly string[], text = 'ok'): OciDescription => ({
    fingerprint,
    manifest: Buffer.from(fingerprint),
    properties: {},
    blobs: digests.map((digest) => ({
      ...{ kind: 'blob' as const, digest, size: text.length, name: digest },
      open: () => {
        asked.push(digest);
        const response = Object.assign(Readable.from([Buffer.from(text)]), { statusCode: 200 });
        return Promise.resolve(response as unknown as IncomingMessage);
      },
    })),
  });
  return { kept, asked, received, agent, image, refuseNext: (times: number) => (refuse = times) };
}

const running = (signal = AbortSignal.timeout(5_000)) =>
  ({ signal, update: () => undefined }) as unknown as RunningOperation;

test('what several images have in common is fetched once, also at the same time', async () => {
  const { agent, image, asked, received } = stage();
  const fetcher = new OciFetcher();
  const all = [
    image('1', ['a', 'b']),
    image('2', ['a', 'c', 'c']),
    image('3', ['b', 'c']),
    image('4', ['d']),
  ];
  await Promise.all(all.map((one) => fetcher.fetch(agent, 'm1', one, running())));
  expect(asked.sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(received.sort()).toEqual(['1', '2', '3', '4']);
});

test('to another member it is fetched again', async () => {
  const [one, other] = [stage(), stage()];
  const fetcher = new OciFetcher();
  await Promise.all([
    fetcher.fetch(one.agent, 'm1', one.image('1', ['a']), running()),
    fetcher.fetch(other.agent, 'm2', other.image('1', ['a']), running()),
  ]);
  expect([one.asked, other.asked]).toEqual([['a'], ['a']]);
});

test('where one fails, who waited for it fetches by itself', async () => {
  const { agent, image, asked, received } = stage();
  const fetcher = new OciFetcher();
  const [first, second] = await Promise.allSettled([
    fetcher.fetch(agent, 'm1', image('1', ['a'], 'bad'), running()),
    fetcher.fetch(agent, 'm1', image('2', ['a']), running()),
  ]);
  expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
  expect([asked, received]).toEqual([['a', 'a'], ['2']]);
});

test('a blob that vanishes in between is looked for again, but not for ever', async () => {
  const { agent, image, refuseNext, received } = stage();
  const fetcher = new OciFetcher();
  refuseNext(2);
  await fetcher.fetch(agent, 'm1', image('1', ['a']), running());
  expect(received).toEqual(['1']);
  refuseNext(3);
  await expect(fetcher.fetch(agent, 'm1', image('2', ['b']), running())).rejects.toThrow(/missing/);
});

test('who is called off waits no longer', async () => {
  const { agent, image } = stage();
  const fetcher = new OciFetcher();
  const never = image('1', ['a']);
  const hanging = {
    ...never,
    blobs: never.blobs.map((blob) => ({ ...blob, open: () => new Promise<never>(() => undefined) })),
  };
  const stop = new AbortController();
  const first = fetcher.fetch(agent, 'm1', hanging, running(new AbortController().signal));
  first.catch(() => undefined);
  const second = fetcher.fetch(agent, 'm1', image('2', ['a']), running(stop.signal));
  setTimeout(() => stop.abort(new LxdError('cancelled', 'called off')), 20);
  await expect(second).rejects.toThrow('called off');
});
