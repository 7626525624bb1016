import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath } from '../../base/names.ts';
import { notice } from '../../base/output.ts';
import { fingerprintOf, nameImage } from '../image/upload.ts';

export default command({
  usage: '[<remote>:]<instance>[/<snapshot>] [<property>=<value>...]',
  arity: [1, Infinity],
  description: 'Makes an image of an instance at rest, or of a snapshot, for others to be made from.',
  examples: [
    ['publish c1 --alias web', 'An image of c1, which is stopped'],
    ['publish c1/before os=Debian --public', 'Of what it was, with a property, for everybody'],
    ['publish c1 --force', 'It is stopped for it, and started again'],
  ],
  flags: {
    alias: { kind: 'list', value: 'name', help: 'Name for the image' },
    compression: { kind: 'string', value: 'algorithm', help: 'none, bzip2, gzip, lz4, lzma, xz or zstd' },
    expire: { kind: 'string', value: 'date', help: 'When it goes, e.g. 2030-01-01T00:00:00Z' },
    force: { kind: 'boolean', short: 'f', help: 'Stop the instance if it is running' },
    public: { kind: 'boolean', help: 'Let everybody who reaches the server have the image' },
  },
  async run(shell, [arg, ...rest], flags) {
    const [context, name] = await shell.require(arg, 'instance');
    const properties = parseKeyValues(rest);
    const [instance = '', snapshot] = name.split('/', 2);
    const path = apiPath('instances', instance);
    const state = async (action: string) => {
      await context.change('PUT', `${path}/state`, { body: { action, timeout: -1, force: false } });
    };
    const isUp =
      snapshot === undefined && (await context.client.get<{ status: string }>(path)).status !== 'Stopped';
    if (isUp && !flags.force)
      throw new LxdError(
        'invalid',
        'The instance is currently running. Use --force to have it stopped and restarted',
      );
    if (isUp) await state('stop');
    try {
      const operation = await context.client.change('POST', '/1.0/images', {
        body: {
          source: { type: snapshot === undefined ? 'instance' : 'snapshot', name },
          public: flags.public,
          properties,
          ...(flags.compression ? { compression_algorithm: flags.compression } : {}),
          ...(flags.expire ? { expires_at: new Date(flags.expire).toISOString() } : {}),
        },
      });
      const fingerprint = fingerprintOf(await context.wait(operation, 'Publishing instance'));
      await nameImage(context, fingerprint, flags.alias);
      return notice(`Instance published with fingerprint: ${fingerprint}`);
    } finally {
      if (isUp) await state('start');
    }
  },
});
