import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { LxdError } from '@lxd-ts/core';
import type { Operation } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { meter } from '../image/upload.ts';

async function send(
  context: Context,
  path: string,
  headers: Record<string, string>,
): Promise<Operation | undefined> {
  using progress = context.progress('Importing instance');
  const size = path === '-' ? 0 : (await stat(path)).size;
  const source: NodeJS.ReadableStream = path === '-' ? context.io.stdin : createReadStream(path);
  const stream = source.pipe(meter(progress, size, () => context.io.now().getTime()));
  source.on('error', (error: Error) => stream.destroy(error));
  return await context.client.change('POST', '/1.0/instances', {
    stream,
    headers: {
      'content-type': 'application/octet-stream',
      ...(size > 0 ? { 'content-length': String(size) } : {}),
      ...headers,
    },
  });
}

export default command({
  usage: '[<remote>:] <backup file> [<instance>]',
  arity: [1, 3],
  description: 'Makes an instance again from a file that "export" wrote. "-" reads it from standard input.',
  examples: [
    ['import c1.tar.gz', 'With the name it had'],
    ['import c1.tar.gz c2 --storage fast', 'Under another name, in another storage pool'],
  ],
  flags: { storage: { kind: 'string', short: 's', value: 'pool', help: 'Storage pool to put it in' } },
  async run(shell, args, flags) {
    const remote = args[0]?.endsWith(':') ? args[0] : undefined;
    const [path, name, ...more] = remote === undefined ? args : args.slice(1);
    if (path === undefined || more.length > 0)
      throw new LxdError('invalid', 'Give a backup file, and perhaps a name for the instance');
    const [context] = await shell.parse(remote);
    if (path !== '-') {
      await stat(path).catch((error: unknown) => {
        const { code, message } = error as NodeJS.ErrnoException;
        throw new LxdError(
          'not-found',
          `Cannot read "${path}": ${code === 'ENOENT' ? 'no such file' : message}`,
          { cause: error },
        );
      });
    }
    const operation = await send(context, path, {
      ...(name === undefined ? {} : { 'x-lxd-name': name }),
      ...(flags.storage ? { 'x-lxd-pool': flags.storage } : {}),
    });
    await context.wait(operation, 'Importing instance');
    return undefined;
  },
});
