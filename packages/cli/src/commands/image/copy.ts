import { LxdError } from '@lxd-ts/core';
import { operationPath, secretsOf, type Image } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { notice } from '../../base/output.ts';
import {
  addressesOf,
  eachAddress,
  locateImage,
  withImage,
  type FoundImage,
} from '../../remotes/image-source.ts';
import { modes, parseMode } from '../instance/transfer.ts';
import { fingerprintOf, meter, nameImage } from './upload.ts';

interface Copy {
  found: FoundImage;
  target: Context;
  project: string | undefined;
  public: boolean;
  autoUpdate: boolean;
}

/** The target fetches it; returns its fingerprint. */
async function pull(
  { found, target, project, public: open, autoUpdate }: Copy,
  alias: string,
): Promise<string> {
  const ended = await withImage(target, found, async (source) => {
    const followed = autoUpdate && (found.kind !== 'lxd' || found.public) ? { alias } : {};
    const operation = await target.client.change('POST', '/1.0/images', {
      query: { project },
      body: { source: { ...source, ...followed }, public: open, auto_update: autoUpdate },
    });
    return target.wait(operation, 'Copying the image');
  });
  return found.kind === 'lxd' ? found.image.fingerprint : fingerprintOf(ended);
}

/** The source sends it. */
async function push(context: Context, image: Image, copy: Copy): Promise<void> {
  const { target, project } = copy;
  const { addresses, certificate } = await addressesOf(target);
  const slot = await target.client.change('POST', '/1.0/images', {
    query: { project },
    body: {
      source: { mode: 'push', fingerprint: image.fingerprint },
      properties: image.properties,
      public: copy.public,
      auto_update: copy.autoUpdate,
    },
  });
  if (!slot) throw new LxdError('internal', 'The server started no operation');
  const { secret } = secretsOf(slot);
  try {
    await eachAddress(addresses, async (address) => {
      const sent = await context.client.change('POST', `/1.0/images/${image.fingerprint}/export`, {
        body: { target: address, secret, certificate, ...(project === undefined ? {} : { project }) },
      });
      await context.wait(sent, 'Copying the image');
    });
  } finally {
    await target.client.change('DELETE', operationPath(slot)).catch(() => undefined);
  }
}

/** The bytes go through this command, as they are. */
async function relayImage(context: Context, image: Image, copy: Copy): Promise<void> {
  const { target, project } = copy;
  const response = await context.client.download(`/1.0/images/${image.fingerprint}/export`);
  const { 'content-type': type = 'application/octet-stream', 'content-length': length } = response.headers;
  const fileName = /filename="?([^";]+)"?/.exec(response.headers['content-disposition'] ?? '')?.[1];
  const properties = new URLSearchParams(image.properties).toString();
  using progress = context.progress('Copying the image');
  const stream = response.pipe(meter(progress, Number(length ?? 0), () => context.io.now().getTime()));
  response.on('error', (error) => stream.destroy(error));
  const operation = await target.client.change('POST', '/1.0/images', {
    stream,
    query: { project },
    headers: {
      'content-type': type,
      ...(length === undefined ? {} : { 'content-length': length }),
      ...(fileName === undefined || type.startsWith('multipart/') ? {} : { 'x-lxd-filename': fileName }),
      ...(properties === '' ? {} : { 'x-lxd-properties': properties }),
      'x-lxd-public': copy.public ? '1' : '0',
      'x-lxd-fingerprint': image.fingerprint,
    },
  });
  await target.wait(operation, 'Importing image');
}

export default command({
  usage: '[<remote>:]<image> <remote>:',
  arity: [2, 2],
  description: `Copies an image to another server. The target fetches it from the source unless --mode says otherwise: the one that
is connected to must listen on the network.`,
  examples: [
    ['image copy debian far: --copy-aliases', 'To the server "far", under the same names'],
    [
      'image copy images:debian/12 local: --alias debian --auto-update',
      'From a server of images, kept up to date',
    ],
    ['image copy docker:nginx:1.27 local: --alias nginx', 'From an OCI registry'],
  ],
  flags: {
    alias: { kind: 'list', value: 'name', help: 'Name for the copy' },
    'auto-update': { kind: 'boolean', help: 'Fetch it again when the source has a newer one' },
    'copy-aliases': { kind: 'boolean', help: "Give the copy the source's names" },
    mode: { kind: 'string', value: modes.join('|'), help: 'How to go (default pull)' },
    public: { kind: 'boolean', help: 'Let everybody who reaches the server have the image' },
    'target-project': { kind: 'string', value: 'project', help: 'Project to copy to' },
    vm: { kind: 'boolean', help: 'An image for virtual machines' },
  },
  async run(shell, [from = '', to = ''], flags) {
    const mode = parseMode(flags.mode);
    const [target, name] = await shell.parse(to);
    if (name !== '') throw new LxdError('invalid', "Can't provide a name for the target image");
    const found = await locateImage(shell, from);
    const project = flags['target-project'];
    if (found.kind === 'lxd' && found.context.remote === target.remote && project === undefined)
      throw new LxdError('invalid', 'The source and target servers must be different');
    if (flags['auto-update'] && mode !== 'pull')
      throw new LxdError('invalid', 'Auto update is only available in pull mode');
    const copy: Copy = { found, target, project, public: flags.public, autoUpdate: flags['auto-update'] };
    let fingerprint: string;
    if (mode === 'pull' || found.kind !== 'lxd') {
      if (mode !== 'pull') throw new LxdError('invalid', 'From a server of images only pull mode works');
      fingerprint = await pull(copy, from.slice(from.indexOf(':') + 1));
    } else {
      ({ fingerprint } = found.image);
      await (mode === 'push' ? push : relayImage)(found.context, found.image, copy);
    }
    const copied =
      flags['copy-aliases'] && found.kind === 'lxd'
        ? (found.image.aliases ?? []).map(({ name: alias }) => alias)
        : [];
    await nameImage(target, fingerprint, [...new Set([...flags.alias, ...copied])], project);
    return notice('Image copied successfully!');
  },
});
