import { Control } from './control.ts';
import { attached, checkRequest, encodeRequest, spawnHelper, type Runtime } from './helper.ts';
import type { ExecProcess, ExecRequest } from './liblxc.ts';
import { openPipes } from './pipes.ts';
import { joinTerminal } from './terminal.ts';

const SIGKILL = 9;

async function withPipes(
  runtime: Runtime,
  args: string[],
  request: Buffer,
  signal: AbortSignal,
): Promise<ExecProcess> {
  const over = Promise.withResolvers<unknown>();
  const pipes = openPipes(runtime.addon, over.promise);
  try {
    using _theirs = pipes.theirs;
    const child = spawnHelper(runtime, args, pipes.theirs.fds);
    const control = new Control(child);
    control.exited.then(over.resolve, over.resolve);
    control.write(request);
    const pid = await attached(control, signal);
    const { stdin, stdout, stderr } = pipes;
    return session(control, pid, { pipes: { stdin, stdout, stderr } }, pipes.destroy);
  } catch (error) {
    pipes.destroy();
    throw error;
  }
}

async function withTerminal(
  runtime: Runtime,
  args: string[],
  request: Buffer,
  signal: AbortSignal,
): Promise<ExecProcess> {
  const child = spawnHelper(runtime, args, ['pipe', 'pipe', 'ignore']);
  const control = new Control(child);
  const terminal = joinTerminal(child);
  const close = () => void terminal.destroy();
  control.write(request);
  try {
    return session(control, await attached(control, signal), { terminal }, close);
  } catch (error) {
    close();
    throw error;
  }
}

function session(
  control: Control,
  pid: number,
  streams: Pick<ExecProcess, 'pipes' | 'terminal'>,
  close: () => void,
): ExecProcess {
  const { exited } = control;
  const signal = (number: number) => control.write(`signal ${number}\n`);
  return {
    pid,
    ...streams,
    exited,
    signal,
    resize: (columns, rows) => control.write(`resize ${columns} ${rows}\n`),
    [Symbol.asyncDispose]: async () => {
      signal(SIGKILL);
      await exited.catch(() => undefined);
      close();
    },
  };
}

export async function exec(
  runtime: Runtime,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecProcess> {
  signal.throwIfAborted();
  checkRequest(request);
  const { name, uid, gid, cwd, terminal } = request;
  const numbers = [uid, gid].map(String);
  const size = [terminal?.columns ?? 0, terminal?.rows ?? 0].map(String);
  const args = ['exec', runtime.lxcpath, name, ...numbers, cwd, ...size];
  const encoded = encodeRequest(request.argv, request.environment);
  return (terminal ? withTerminal : withPipes)(runtime, args, encoded, signal);
}
