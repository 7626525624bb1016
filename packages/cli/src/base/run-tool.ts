import { spawn } from 'node:child_process';
import { LxdError } from '@lxd-ts/core';

export interface ToolOptions {
  input?: string;
  env?: NodeJS.ProcessEnv;
  /** Told of every line that the tool writes to stderr. */
  onLine?: (line: string) => void;
  /** Has it end with all that it has started (SIGTERM), and is waited for: what it holds it gives back. */
  signal?: AbortSignal;
}

/** Runs a program of this machine. What it said last is in the error when it fails. */
export async function runTool(
  file: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const { signal } = options;
  // In a group of its own where it may be told to end, together with those that it waits for.
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env,
    detached: signal !== undefined,
  });
  let stdout = '';
  let pending = '';
  const said: string[] = [];
  const onLine = (line: string): void => {
    if (line.trim() === '') return;
    said.push(line);
    if (said.length > 20) said.shift();
    options.onLine?.(line);
  };
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = (pending + chunk.toString()).split(/[\r\n]/);
    pending = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended.
    }
  };
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const ended = Promise.withResolvers<number | null>();
  child.on('error', ended.reject);
  child.on('close', ended.resolve);
  const code = await ended.promise.catch((error: unknown) => {
    throw new LxdError('unavailable', `Cannot run ${file}: is it installed?`, { cause: error });
  });
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  onLine(pending);
  if (code !== 0)
    throw new LxdError('internal', `${file} failed (${code ?? 'killed'}): ${said.slice(-5).join('; ')}`);
  return stdout;
}
