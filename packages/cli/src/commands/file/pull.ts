import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { pullFile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { filePlace, localError } from './places.ts';
import { pullOne, pullTree, saveBody } from './pull-tree.ts';

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

export default command({
  usage: '[<remote>:]<instance>/<path>... <target>',
  arity: [2, Infinity],
  description: `Fetches files of an instance, running or not. The target is a file, a directory, or "-" for stdout.
A target that ends in a slash, or that more than one file goes to, is a directory.`,
  examples: [
    ['file pull c1/etc/hosts .', 'Into this directory'],
    ['file pull c1/etc/hosts -', 'Show it'],
    ['file pull -r c1/etc /backup/c1', 'A directory, which becomes /backup/c1/etc'],
  ],
  flags: {
    'create-dirs': { kind: 'boolean', short: 'p', help: 'Create the directories that are missing' },
    recursive: { kind: 'boolean', short: 'r', help: 'Pull directories with all that is in them' },
  },
  async run(shell, args, flags) {
    const sources = args.slice(0, -1);
    const target = args.at(-1) ?? '';
    const places = await Promise.all(sources.map((source) => filePlace(shell, source, 'source')));
    const into = target.endsWith('/') || places.length > 1;
    const toStdout = target === '-';
    let exists = !toStdout && (await isDirectory(target));
    try {
      if (flags['create-dirs'] && !toStdout)
        await mkdir(into ? target : dirname(target), { recursive: true, mode: 0o755 });
      if (into && !toStdout && !exists) await mkdir(target, { recursive: flags['create-dirs'] });
      exists ||= into;
    } catch (error) {
      throw localError(error, target);
    }
    for (const place of places) {
      const { context, instance, path } = place;
      const file = await pullFile(context.client, instance, path);
      const tree = file.type === 'directory';
      if (tree && (!flags.recursive || toStdout))
        throw new LxdError('invalid', "Can't pull a directory without --recursive");
      if (toStdout) {
        await saveBody(place, file, '-', shell.io.stdout);
        continue;
      }
      const name = posix.basename(posix.resolve('/', path));
      const to = exists ? join(target, name) : target;
      if (!tree) await pullOne(place, file, to);
      else {
        if (!exists) await mkdir(target).catch((error: unknown) => Promise.reject(localError(error, target)));
        exists = true;
        await pullTree(place, file, join(target, name));
      }
    }
    return undefined;
  },
});
