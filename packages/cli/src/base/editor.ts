import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Context } from './context.ts';
import { lineReader, readAll } from './io.ts';

/** Until it is closed. @throws LxdError when it fails */
export async function runEditor(context: Context, path: string): Promise<void> {
  const { env } = context.io;
  const chosen = env['VISUAL'] || env['EDITOR'] || 'editor';
  // An editor may be set with arguments ("code --wait").
  const [file = 'editor', ...args] = chosen.split(/\s+/);
  const child = spawn(file, [...args, path], { stdio: 'inherit' });
  const ended = Promise.withResolvers<number | null>();
  child.on('error', ended.reject);
  child.on('close', ended.resolve);
  const code = await ended.promise.catch((error: unknown) => {
    throw new LxdError('invalid', `Cannot start the editor "${file}": set EDITOR`, { cause: error });
  });
  if (code !== 0)
    throw new LxdError('cancelled', `The editor "${file}" ended with status ${code ?? 'of a signal'}`);
}

/**
 * On a terminal: opens an editor on `text` and submits what was saved, again and again until it is accepted. Otherwise:
 * submits what stdin brings.
 */
export async function edit(
  context: Context,
  text: string,
  submit: (text: string) => Promise<void>,
): Promise<void> {
  const { io } = context;
  if (!io.stdinIsTty) {
    await submit(await readAll(io.stdin));
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), 'lxd-ts-edit-'));
  const path = join(dir, 'config.yaml');
  try {
    for (let current = text; ;) {
      await writeFile(path, current, { mode: 0o600 });
      await runEditor(context, path);
      current = await readFile(path, 'utf8');
      try {
        await submit(current);
        return;
      } catch (error) {
        io.stderr.write(`Error: ${toLxdError(error).message}\n`);
        const reader = lineReader(io);
        const answer = await reader.ask('Press enter to edit again, or ctrl+c to give up ');
        reader.close();
        if (answer === undefined) throw error;
      }
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
