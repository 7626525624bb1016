import { fstatSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { filePlace, parseId, parseMode } from './places.ts';
import { makeDirectories, pushOne, pushStream, pushTree } from './push-tree.ts';

export default command({
  usage: '<source>... [<remote>:]<instance>/<path>',
  arity: [2, Infinity],
  description: `Puts files of this machine into an instance, running or not. "-" is stdin.
A target that ends in a slash is a directory. Files that are there already keep their owner and mode.`,
  examples: [
    ['file push /etc/hosts c1/etc/hosts', 'One file'],
    ['file push a b c1/tmp/', 'Files into a directory'],
    ['file push -rp site/ web1/srv/www', 'A directory, which becomes /srv/www/site'],
    ['file push - c1/tmp/list --mode 0600 < list', 'From stdin'],
  ],
  flags: {
    'create-dirs': { kind: 'boolean', short: 'p', help: 'Create the directories that are missing' },
    gid: { kind: 'number', value: 'gid', help: "Group of the file inside (default: the source's)" },
    mode: { kind: 'string', value: 'octal', help: "Mode of the file (default: the source's)" },
    recursive: { kind: 'boolean', short: 'r', help: 'Push directories with all that is in them' },
    uid: { kind: 'number', value: 'uid', help: "Owner of the file inside (default: the source's)" },
  },
  async run(shell, args, flags) {
    const sources = args.slice(0, -1);
    const target = await filePlace(shell, args.at(-1) ?? '', 'target');
    const [uid, gid] = [parseId(flags.uid, 'uid'), parseId(flags.gid, 'gid')];
    const wanted = { uid, gid, mode: parseMode(flags.mode) };
    const isDirectory = target.path.endsWith('/');
    if (flags.recursive) {
      if (Object.values(wanted).some((value) => value !== undefined))
        throw new LxdError('invalid', "Can't supply uid/gid/mode in recursive mode");
      if (flags['create-dirs']) await makeDirectories(target, {});
      for (const source of sources) await pushTree(target, source);
      return undefined;
    }
    if (sources.length > 1 && !isDirectory) throw new LxdError('invalid', 'Missing target directory');
    if (flags['create-dirs']) {
      const path = isDirectory ? target.path : posix.dirname(target.path);
      await makeDirectories({ ...target, path }, { uid, gid });
    }
    for (const source of sources) {
      if (source !== '-') {
        const path = isDirectory ? posix.join(target.path, basename(source)) : target.path;
        await pushOne({ ...target, path }, source, wanted);
        continue;
      }
      if (isDirectory) throw new LxdError('invalid', 'What comes from stdin needs a file name as its target');
      const { mode } = fstatSync(0);
      await pushStream(target, shell.io.stdin, {
        uid: uid ?? 0,
        gid: gid ?? 0,
        mode: wanted.mode ?? mode & 0o777,
        label: '-',
        size: 0,
      });
    }
    return undefined;
  },
});
