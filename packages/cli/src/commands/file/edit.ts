import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { pullFile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { runEditor } from '../../base/editor.ts';
import { filePlace } from './places.ts';
import { saveBody } from './pull-tree.ts';
import { pushStream } from './push-tree.ts';

export default command({
  usage: '[<remote>:]<instance>/<path>',
  arity: [1, 1],
  description: `Opens a file of an instance in your editor ($VISUAL or $EDITOR), and puts it back when it was saved.
Without a terminal, stdin becomes its content. It keeps its owner and mode.`,
  examples: [['file edit c1/etc/hosts', 'Edit it']],
  async run(shell, [text = '']) {
    const place = await filePlace(shell, text, 'path');
    const { context, instance, path } = place;
    if (!shell.io.stdinIsTty) {
      await pushStream(place, shell.io.stdin, { label: '-', size: 0 });
      return undefined;
    }
    const dir = await mkdtemp(join(tmpdir(), 'lxd-ts-edit-'));
    // Editors tell the language by the name.
    const copy = join(dir, posix.basename(path) || 'file');
    try {
      const file = await pullFile(context.client, instance, path);
      if (file.type !== 'file') {
        file.body?.destroy();
        throw new LxdError('invalid', `"${path}" is a ${file.type}, not a file`);
      }
      await saveBody(place, file, copy, createWriteStream(copy, { mode: 0o600 }));
      const before = await stat(copy, { bigint: true });
      await runEditor(context, copy);
      const after = await stat(copy, { bigint: true });
      // Some editors write another file and rename it.
      if (before.mtimeNs === after.mtimeNs && before.ino === after.ino) return undefined;
      await pushStream(place, createReadStream(copy), { label: copy, size: Number(after.size) });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    return undefined;
  },
});
