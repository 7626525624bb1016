import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { OciRegistry, parseOciCredentials, type OciTransport } from './registry.ts';

const signal = AbortSignal.timeout(5_000);
const sum = (data: string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;
const config = JSON.stringify({
  ...{ architecture: 'amd64', os: 'linux', config: { Cmd: ['run'] } },
  rootfs: { diff_ids: [sum('layer')] },
});
const manifest = JSON.stringify({
  ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' },
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sum(config), size: config.length },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sum('layer'), size: 5 }],
});
const index = (digest = sum(manifest)) =>
  JSON.stringify({
    ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' },
    manifests: [
      {
        ...{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: manifest.length },
        platform: { os: 'linux', architecture: 'amd64' },
      },
    ],
  });

interface Answer {
  status?: number;
  body?: string;
  headers?: Record<string, string>;
}
type Site = (url: URL, authorization: string | undefined) => Answer;

/** A registry that only exists here. */
function reach(site: Site, secret?: string) {
  const asked: string[] = [];
  const transport: OciTransport = (url, { headers }) => {
    asked.push(`${url.host}${url.pathname} ${headers['Authorization'] ?? '-'}`);
    const { status = 200, body = '', headers: told = {} } = site(url, headers['Authorization']);
    const response = Object.assign(Readable.from([Buffer.from(body)]), { statusCode: status, headers: told });
    return Promise.resolve(response as unknown as IncomingMessage);
  };
  const credentials = secret === undefined ? undefined : parseOciCredentials(secret);
  return { registry: new OciRegistry('https://reg', transport, credentials), asked };
}

const open: Site = ({ pathname }) => {
  const name = pathname.replace('/v2/team/app/', '');
  const found: Record<string, string> = {
    'manifests/1': manifest,
    'manifests/list': index(),
    [`manifests/${sum(manifest)}`]: manifest,
    [`blobs/${sum(config)}`]: config,
    [`blobs/${sum('layer')}`]: 'layer',
  };
  const body = found[name];
  return body === undefined
    ? { status: 404, body: JSON.stringify({ errors: [{ message: 'manifest\u001b[1m unknown' }] }) }
    : { body };
};
const name = (reference: string) => ({ repository: 'team/app', reference });

it('finds an image by its tag, by its digest and in a list', async () => {
  const { registry } = reach(open);
  for (const reference of ['1', sum(manifest), 'list']) {
    const image = await registry.resolve(name(reference), 'x86_64', signal);
    expect(`sha256:${image.fingerprint}`).toBe(sum(manifest));
    expect(image.manifestBytes.toString()).toBe(manifest);
    expect(image.config.instance['oci.entrypoint']).toBe('run');
  }
  await expect(registry.resolve(name('list'), 'aarch64', signal)).rejects.toThrow(/no image for aarch64/);
  await expect(registry.resolve(name('2'), 'x86_64', signal)).rejects.toThrow(
    'reg has no "team/app" like this: manifest [1m unknown (status 404)',
  );
});

it.each([
  ['a manifest', (url: URL) => (url.pathname.endsWith(sum(manifest)) ? `${manifest} ` : undefined)],
  [
    'a configuration',
    (url: URL) => (url.pathname.includes('/blobs/') ? config.replace('run', 'bad') : undefined),
  ],
  [
    'a configuration that is longer',
    (url: URL) => (url.pathname.includes('/blobs/') ? `${config} ` : undefined),
  ],
])('refuses %s that is not what was promised', async (_, spoil) => {
  const { registry } = reach((url, key) => ({
    ...open(url, key),
    ...(spoil(url) ? { body: spoil(url) ?? '' } : {}),
  }));
  await expect(registry.resolve(name('list'), 'x86_64', signal)).rejects.toThrow(/promised|larger than/);
});

it('refuses what its own header contradicts, and what never ends', async () => {
  const lies = reach((url, key) => ({
    ...open(url, key),
    headers: { 'docker-content-digest': sum('other') },
  }));
  await expect(lies.registry.resolve(name('1'), 'x86_64', signal)).rejects.toThrow(/promised/);
  const large = reach(() => ({ body: ' '.repeat(4 * 1024 * 1024 + 1) }));
  await expect(large.registry.resolve(name('1'), 'x86_64', signal)).rejects.toThrow(/larger/);
});

describe('who asks', () => {
  const bearer = 'Bearer realm="https://auth/token",service="reg",scope="repository:team/app:pull"';
  const guarded: Site = (url, key) => {
    if (url.host === 'auth') {
      const known = key === `Basic ${Buffer.from('me:a:b').toString('base64')}`;
      expect(url.search).toBe('?service=reg&scope=repository%3Ateam%2Fapp%3Apull');
      if (key !== undefined && !known) return { status: 401, body: '{"details":"bad password"}' };
      return { body: JSON.stringify(known ? { token: 'good' } : { access_token: 'poor' }) };
    }
    if (key === 'Bearer good') return open(url, key);
    return { status: 401, headers: { 'www-authenticate': bearer } };
  };

  it('gets a token by user and password, once for a repository', async () => {
    const { registry, asked } = reach(guarded, 'me:a:b');
    await registry.resolve(name('list'), 'x86_64', signal);
    expect(asked.filter((line) => line.startsWith('auth/'))).toHaveLength(1);
    expect(asked.filter((line) => line.startsWith('reg/') && line.includes('Basic'))).toEqual([]);
  });

  it('is told what is missing, without what is secret', async () => {
    await expect(reach(guarded).registry.resolve(name('1'), 'x86_64', signal)).rejects.toThrow(
      'does it need a user and password?',
    );
    const wrong = reach(guarded, 'me:wrong-word').registry.resolve(name('1'), 'x86_64', signal);
    await expect(wrong).rejects.toThrow('auth gives no token for reg: bad password (status 401)');
    await expect(wrong).rejects.not.toThrow(/wrong-word/);
    expect(() => parseOciCredentials('secret-word')).toThrow(
      /^The secret of a registry must be USER:PASSWORD$/,
    );
  });

  it('may be asked by Basic, too', async () => {
    const site: Site = (url, key) =>
      key?.startsWith('Basic ')
        ? open(url, key)
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    await reach(site, 'me:b').registry.resolve(name('1'), 'x86_64', signal);
    await expect(reach(site).registry.resolve(name('1'), 'x86_64', signal)).rejects.toThrow(/needs a user/);
  });

  it('tells no password to an address without TLS', async () => {
    const site: Site = () => ({
      status: 401,
      headers: { 'www-authenticate': bearer.replace('https', 'http') },
    });
    const { registry, asked } = reach(site, 'me:b');
    await expect(registry.resolve(name('1'), 'x86_64', signal)).rejects.toThrow(/not https/);
    expect(asked).toEqual(['reg/v2/team/app/manifests/1 -']);
  });
});

it('follows where it is sent, without its key, and only by https', async () => {
  const to =
    (location: string): Site =>
    (url, key) => {
      if (url.host === 'store') return { body: 'layer' };
      if (url.pathname.includes('/blobs/')) return { status: 307, headers: { location } };
      return open(url, key);
    };
  const { registry, asked } = reach(to('https://store/x?sig=1'), 'me:b');
  const response = await registry.openBlob('team/app', sum('layer'), 0, signal);
  expect(response.statusCode).toBe(200);
  expect(asked.at(-1)).toBe('store/x -');
  await expect(
    reach(to('http://store/x')).registry.openBlob('team/app', sum('layer'), 0, signal),
  ).rejects.toThrow(/not https/);
  await expect(
    reach(to('https://reg/v2/team/app/blobs/again')).registry.openBlob('team/app', sum('layer'), 0, signal),
  ).rejects.toThrow(/for ever/);
});
