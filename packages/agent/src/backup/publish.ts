import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOciConfig, ociKeys, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, PublishRequest, ReceivedImage } from '@lxd-ts/rpc';
import { parse, stringify } from 'yaml';
import type { AgentContext } from '../context.ts';
import { readOwn } from '../read-own.ts';
import { compressorOf, literalPattern, packing, type Member } from './archive.ts';
import { partialBackup } from './places.ts';
import { progressOf } from './progress.ts';

const maxMetadataBytes = 1024 * 1024;

/** What the image that the instance was made from said of itself; nothing when that is not to be read. */
async function metadataOf(directory: string): Promise<Record<string, unknown>> {
  try {
    const text = await readOwn(join(directory, 'metadata.yaml'), maxMetadataBytes);
    const found: unknown = parse(text?.toString() ?? '', { maxAliasCount: 20 });
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Makes an image of an instance's files and takes it in, as if it had been uploaded. */
export async function publishImage(
  { dir, host, images }: AgentContext,
  spec: InstanceSpec,
  request: PublishRequest,
  directory: string,
  options: CallOptions,
): Promise<ReceivedImage> {
  const { signal } = options;
  const { reproducible } = request;
  const compressor = compressorOf(request.compression, reproducible !== undefined);
  const work = partialBackup(dir, request.id);
  await mkdir(work, { mode: 0o700 });
  try {
    const { properties, architecture, createdAt, expiresAt } = request;
    const metadata = {
      ...(await metadataOf(directory)),
      architecture,
      creation_date: createdAt,
      expiry_date: expiresAt,
      ...(properties ? { properties } : {}),
      ...(isOciConfig(spec.config) ? { oci: ociKeys(spec.config) } : {}),
    };
    const description = join(work, 'metadata.yaml');
    await writeFile(description, stringify(metadata, { sortMapEntries: reproducible !== undefined }));
    await chmod(description, 0o644);
    const rootfs = join(directory, 'rootfs');
    const members: Member[] = [
      { path: description, as: 'metadata.yaml' },
      { path: rootfs, as: 'rootfs' },
    ];
    const templates = join(directory, 'templates');
    if (await isDirectory(templates)) members.push({ path: templates, as: 'templates' });
    const out = join(work, 'file');
    using _told = progressOf(
      out,
      `Image pack: ${spec.name}`,
      'create_image_from_container_pack_progress',
      options.onProgress,
    );
    const fixed = reproducible && {
      epoch: reproducible.epoch,
      exclude: reproducible.exclude.map((pattern) => `${literalPattern(rootfs)}${pattern}`),
    };
    await host.run(packing(out, compressor, members, fixed), { signal });
    const body = createReadStream(out, { highWaterMark: 256 * 1024 });
    const parts = (async function* () {
      yield await Promise.resolve({ kind: 'unified' as const, body });
    })();
    return await images.receive(parts, { signal });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
