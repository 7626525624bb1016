import { once } from 'node:events';
import { Control } from './control.ts';
import { attached, spawnHelper, type Runtime } from './helper.ts';
import type { FilesRequest, FilesSession } from './liblxc.ts';
import { joinTerminal } from './terminal.ts';

/** What hangs in a filesystem of the container's own may need its end first. */
const goneMs = 5_000;

/** See `Liblxc.files`. */
export async function openFiles(
  runtime: Runtime,
  request: FilesRequest,
  signal: AbortSignal,
): Promise<FilesSession> {
  signal.throwIfAborted();
  const args =
    'name' in request
      ? ['running', runtime.lxcpath, request.name]
      : [request.mapped ? 'mapped' : 'stopped', request.rootfs, ...request.idmap];
  const child = spawnHelper(runtime, ['files', ...args], ['pipe', 'pipe', 'ignore']);
  const control = new Control(child);
  const stream = joinTerminal(child);
  const kill = () => void child.kill('SIGKILL');
  stream.once('close', kill);
  try {
    await attached(control, signal);
  } catch (error) {
    stream.destroy();
    throw error;
  }
  return {
    stream,
    [Symbol.asyncDispose]: async () => {
      const over = child.exitCode !== null || child.signalCode !== null;
      const gone = over ? undefined : once(child, 'exit', { signal: AbortSignal.timeout(goneMs) });
      kill();
      stream.destroy();
      await gone?.catch(() => undefined);
    },
  };
}
