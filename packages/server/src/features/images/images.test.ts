import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import type { ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import { fakeAgent, harness } from '../testing/harness.ts';
import { changeAlias, createAlias, deleteAlias, renameAlias } from './aliases.ts';
import { joinParts, splitParts } from './multipart.ts';
import type { RequestContext } from '../../http/route.ts';
import { imagesRoutes } from './routes.ts';
import { imagesService } from './service.ts';
import { uploadImage } from './upload.ts';
import { findImage, imageView } from './view.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);
const write = { signal, caller };

const part = (name: string, filename: string, body: string) =>
  `--B\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\n` +
  `Content-Type: application/octet-stream\r\n\r\n${body}\r\n`;
const multipart = (...parts: string[]) => Readable.from([Buffer.from(`${parts.join('')}--B--\r\n`)]);
const headers = { 'content-type': 'multipart/form-data; boundary=B' };

async function setUp() {
  const received: string[] = [];
  const fake = fakeAgent({
    receiveImage: async (parts: AsyncIterable<ImagePart>): Promise<ReceivedImage> => {
      let all = '';
      for await (const { kind, body } of parts) {
        const content = await text(body);
        received.push(`${kind}:${content}`);
        all += content;
      }
      if (all === '') throw new LxdError('invalid', 'EOF');
      return {
        fingerprint: Buffer.from(all).toString('hex').padEnd(64, '0').slice(0, 64),
        size: all.length,
        architecture: 'x86_64',
        type: 'container',
        properties: { os: 'Busy', release: '1' },
        creationDate: 1_700_000_000,
        expiryDate: 0,
        files: [],
      };
    },
  });
  const h = await harness({ m1: fake.agent });
  const upload = (body: Readable, more: Record<string, string> = {}) =>
    h.finish(uploadImage(h.services, { project: 'default', headers: more, body, caller }, signal));
  return { fake, h, received, upload, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

describe('images', () => {
  it('are taken in whole', async () => {
    await using at = await setUp();
    const over = await at.upload(Readable.from(['abc']), {
      'x-lxd-filename': 'my.tar.gz',
      'x-lxd-public': '1',
      'x-lxd-properties': 'foo=bar&os=Zed',
    });
    expect(over.metadata).toEqual({ fingerprint: '616263'.padEnd(64, '0'), size: '3' });
    const { value } = findImage(at.h.services, 'default', '6162');
    expect(imageView(at.h.services, value)).toEqual({
      auto_update: false,
      properties: { os: 'Zed', release: '1', foo: 'bar' },
      public: true,
      expires_at: '1970-01-01T00:00:00Z',
      profiles: ['default'],
      aliases: [],
      architecture: 'x86_64',
      cached: false,
      filename: 'my.tar.gz',
      fingerprint: '616263'.padEnd(64, '0'),
      size: 3,
      type: 'container',
      created_at: '2023-11-14T22:13:20.000Z',
      last_used_at: '0001-01-01T00:00:00Z',
      uploaded_at: '2026-01-02T03:04:05.000Z',
    });
    expect(value.members).toEqual(['m1']);
    await expect(at.upload(Readable.from(['abc']))).rejects.toThrow(
      'Image with same fingerprint already exists',
    );
  });

  it('are taken in as two files', async () => {
    await using at = await setUp();
    await at.upload(multipart(part('metadata', 'meta.tar', 'm'), part('rootfs', 'root.tar', 'r')), headers);
    expect(at.received).toEqual(['metadata:m', 'rootfs:r']);
    expect(at.h.records.list('images')[0]?.value.filename).toBe('root.tar');
  });

  // What LXD 5.0.2 answers to each.
  it.each([
    ['no rootfs', [part('metadata', 'm', 'm')], 'EOF'],
    ['the wrong order', [part('rootfs', 'r', 'r'), part('metadata', 'm', 'm')], 'Invalid multipart image'],
    ['another name', [part('wat', 'm', 'm'), part('rootfs', 'r', 'r')], 'Invalid multipart image'],
  ])('are refused with %s', async (_what, parts, message) => {
    await using at = await setUp();
    await expect(at.upload(multipart(...parts), headers)).rejects.toThrow(message);
    expect(at.h.records.list('images')).toEqual([]);
  });

  it('go out as two files that can be read back', async () => {
    const files = (['metadata', 'rootfs'] as const).map((kind) => ({
      kind,
      filename: `f.${kind}`,
      size: 1,
      body: Readable.from([Buffer.from(kind.repeat(50_000))]),
    }));
    const joined = joinParts(files, 'B');
    const back: [string, string, number][] = [];
    for await (const { kind, filename, body } of splitParts(headers, joined))
      back.push([kind, filename, (await buffer(body)).length]);
    expect(back).toEqual([
      ['metadata', 'meta-f.metadata', 400_000],
      ['rootfs', 'f.rootfs', 300_000],
    ]);
  });

  it('change and go, with their aliases', async () => {
    await using at = await setUp();
    await at.upload(Readable.from(['abc']));
    const service = imagesService(at.h.services);
    const options = { signal, caller, revision: undefined };
    await service.patch('default', '6162', { properties: { a: 'b' } }, options);
    const image = () => findImage(at.h.services, 'default', '6162').value;
    expect(image().properties).toEqual({ os: 'Busy', release: '1', a: 'b' });
    await service.put('default', '6162', { properties: { a: 'c' }, public: true }, options);
    expect(image()).toMatchObject({ properties: { a: 'c' }, public: true });
    await expect(service.put('default', '6162', {}, { ...options, revision: 1 })).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    await createAlias(at.h.services, 'default', { name: 'bb', target: '6162' }, write);
    expect(imageView(at.h.services, image())['aliases']).toEqual([{ name: 'bb', description: '' }]);
    await at.h.finish(service.delete('default', '6162', caller));
    expect(at.h.records.list('images')).toEqual([]);
    expect(at.h.records.list('imageAliases')).toEqual([]);
    expect(at.fake.calls).toContain('deleteImage 6162');
  });

  it('have aliases', async () => {
    await using at = await setUp();
    await at.upload(Readable.from(['abc']));
    const { services, records } = at.h;
    await createAlias(services, 'default', { name: 'a/b', target: '6162', description: 'd' }, write);
    const again = createAlias(services, 'default', { name: 'a/b', target: '6162' }, write);
    await expect(again).rejects.toMatchObject({ code: 'conflict', message: 'Alias "a/b" already exists' });
    await expect(createAlias(services, 'default', { name: 'x' }, write)).rejects.toThrow(
      'name and target are required',
    );
    await changeAlias(services, 'default', 'a/b', { description: 'd2' }, write);
    await renameAlias(services, 'default', 'a/b', 'c', write);
    expect(records.list('imageAliases').map(({ value }) => [value.name, value.description])).toEqual([
      ['c', 'd2'],
    ]);
    await deleteAlias(services, 'default', 'c', write);
    await expect(deleteAlias(services, 'default', 'c', write)).rejects.toThrow('Image alias not found');
    expect(at.h.events.slice(1).map(({ action }) => action)).toEqual([
      'image-alias-created',
      'image-alias-updated',
      'image-alias-renamed',
      'image-alias-deleted',
    ]);
  });

  it('that are deleted at the same moment get no name', async () => {
    await using at = await setUp();
    await at.upload(Readable.from(['abc']));
    const { services, records } = at.h;
    const fingerprint = '616263'.padEnd(64, '0');
    const transaction = records.transaction.bind(records);
    const meanwhile = async (change: (made: ReturnType<typeof transaction>) => unknown) => {
      records.transaction = (...guards) => {
        records.transaction = transaction;
        const made = transaction(...guards);
        const commit = made.commit.bind(made);
        made.commit = async (options) => {
          const other = transaction();
          change(other);
          await other.commit(options);
          return commit(options);
        };
        return made;
      };
      await createAlias(services, 'default', { name: 'n', target: fingerprint }, write);
    };
    const image = findImage(services, 'default', fingerprint).value;
    await meanwhile((other) => other.put('images', ['default', fingerprint], { ...image, public: true }));
    expect(records.list('imageAliases')).toHaveLength(1);
    await deleteAlias(services, 'default', 'n', write);
    await expect(meanwhile((other) => other.remove('images', ['default', fingerprint]))).rejects.toThrow(
      'Image not found',
    );
    expect(records.list('imageAliases')).toEqual([]);
  });

  it('that are private are for strangers as if they were not there, whatever is asked', async () => {
    await using at = await setUp();
    for (const content of ['ax', 'ay', 'az']) await at.upload(Readable.from([content]));
    const service = imagesService(at.h.services);
    const get = imagesRoutes(at.h.services, undefined as never).find(
      ({ operationId }) => operationId === 'imageGet',
    );
    const ask = (fingerprint: string, trusted: boolean) =>
      get?.handle({
        ...{ caller: { ...caller, trusted }, project: 'default', query: new URLSearchParams() },
        params: { fingerprint },
      } as unknown as RequestContext<never>);
    await expect(ask('61', true)).rejects.toThrow('Partial fingerprint matches more than one image');
    for (const prefix of ['61', '6178', '6', '77']) {
      await expect(ask(prefix, false)).rejects.toMatchObject({
        ...{ code: 'not-found', message: 'Image not found' },
      });
    }
    await service.patch('default', '617a', { public: true }, { signal, caller, revision: undefined });
    await expect(ask('61', false)).resolves.toMatchObject({
      metadata: { fingerprint: '617a'.padEnd(64, '0') },
    });
  });
});
