import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { notice } from '../../base/output.ts';
import { splitParts } from './multipart-reader.ts';
import { imagePath } from './find-image.ts';
import { meter } from './upload.ts';

const fileNameIn = (header: string | undefined): string | undefined => {
  const name = /filename="?([^";]+)"?/.exec(header ?? '')?.[1];
  return name === undefined ? undefined : basename(name);
};

/** `.tar.xz` of `abc.tar.xz`, `.squashfs` of `abc.squashfs`. */
const suffixOf = (name: string): string => /(\.tar(\.\w+)?|\.\w+)$/.exec(name)?.[0] ?? '';

/** Where to write: into a directory under the server's name, or to a name given (with the server's suffix). */
async function place(target: string, serverName: string, part: string): Promise<string> {
  const isDir = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isDir ? join(target, serverName) : `${target}${part}${suffixOf(serverName)}`;
}

async function save(
  context: Context,
  response: IncomingMessage,
  target: string,
  fallback: string,
): Promise<void> {
  using progress = context.progress('Exporting the image');
  const counter = meter(progress, Number(response.headers['content-length'] ?? 0), () =>
    context.io.now().getTime(),
  );
  const boundary = /boundary="?([^";]+)"?/.exec(response.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) {
    const name = fileNameIn(response.headers['content-disposition']) ?? fallback;
    await pipeline(response, counter, createWriteStream(await place(target, name, '')));
    return;
  }
  response.pipe(counter);
  response.on('error', (error) => counter.destroy(error));
  for await (const part of splitParts(counter, boundary)) {
    const isRootfs = /name="?rootfs/.test(part.disposition);
    const name = fileNameIn(part.disposition) ?? `${fallback}${isRootfs ? '.root' : ''}`;
    await pipeline(part.body, createWriteStream(await place(target, name, isRootfs ? '.root' : '')));
  }
}

export default command({
  usage: '[<remote>:]<image> [<target>]',
  arity: [1, 2],
  description: 'Saves an image to a file (or to two, if it is a split one) in a directory or under a name.',
  examples: [
    ['image export debian', 'Into this directory, named after the fingerprint'],
    ['image export debian /backup/debian', 'To /backup/debian.tar.gz, or whatever its format is'],
  ],
  flags: { vm: { kind: 'boolean', help: 'An image for virtual machines' } },
  async run(shell, [arg, target = '.']) {
    const [context, name] = await shell.image(arg);
    const path = await imagePath(context, name);
    const { fingerprint } = await context.client.get<{ fingerprint: string }>(path);
    try {
      await save(
        context,
        await context.client.download(`/1.0/images/${fingerprint}/export`),
        target,
        fingerprint,
      );
    } catch (error) {
      if (error instanceof LxdError) throw error;
      throw new LxdError('internal', `Cannot save the image: ${(error as Error).message}`, { cause: error });
    }
    return notice('Image exported successfully!');
  },
});
