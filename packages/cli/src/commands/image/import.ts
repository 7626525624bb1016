import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { runTool } from '../../base/run-tool.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { notice } from '../../base/output.ts';
import { fingerprintOf, nameImage, uploadImage, type UploadOptions } from './upload.ts';

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Packs an unpacked image (metadata.yaml, rootfs, perhaps templates) and sends it. */
async function importDirectory(context: Context, path: string, options: UploadOptions): Promise<string> {
  const parts = (await readdir(path)).filter((name) =>
    ['metadata.yaml', 'rootfs', 'templates'].includes(name),
  );
  const dir = await mkdtemp(join(tmpdir(), 'lxd-ts-image-'));
  try {
    const tarball = join(dir, 'image.tar.gz');
    await runTool('tar', ['-C', path, '--numeric-owner', '--xattrs', '-czf', tarball, ...parts]);
    return await uploadImage(context, { meta: tarball }, options);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function importUrl(context: Context, url: string, options: UploadOptions): Promise<string> {
  const operation = await context.client.change('POST', '/1.0/images', {
    body: {
      source: { type: 'url', mode: 'pull', url },
      public: options.public,
      properties: options.properties,
    },
  });
  return fingerprintOf(await context.wait(operation, 'Retrieving image'));
}

export default command({
  usage: '<tarball>|<directory>|<url> [<rootfs file>] [<remote>:] [<property>=<value>...]',
  arity: [1, Infinity],
  description: `Adds an image: a unified tarball, the two files of a split image (metadata, and the root file system as a
tarball or squashfs), a directory that holds an unpacked image, or an https address.`,
  examples: [
    ['image import debian.tar.gz --alias debian', 'A unified tarball'],
    ['image import meta.tar.xz rootfs.squashfs --alias debian os=Debian', 'A split image, with a property'],
  ],
  flags: {
    alias: { kind: 'list', value: 'name', help: 'Name for the image' },
    public: { kind: 'boolean', help: 'Let everybody who reaches the server have the image' },
  },
  async run(shell, [first = '', ...rest], flags) {
    const properties = parseKeyValues(rest.filter((word) => word.includes('=')));
    const words = rest.filter((word) => !word.includes('='));
    const files = words.filter((word) => !word.endsWith(':'));
    const [context] = await shell.parse(words.find((word) => word.endsWith(':')));
    if (files.length > 1) throw new LxdError('invalid', `Too many files: ${files.join(', ')}`);
    const options: UploadOptions = { public: flags.public, properties };
    const [rootfs] = files;
    const fingerprint = /^https?:\/\//.test(first)
      ? await importUrl(context, first, options)
      : (await isDirectory(first))
        ? await importDirectory(context, first, options)
        : await uploadImage(
            context,
            rootfs === undefined ? { meta: first } : { meta: first, rootfs },
            options,
          );
    await nameImage(context, fingerprint, flags.alias);
    return notice(`Image imported with fingerprint: ${fingerprint}`);
  },
});
