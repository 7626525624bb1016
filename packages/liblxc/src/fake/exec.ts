import { PassThrough } from 'node:stream';
import type { ExecProcess, ExecRequest } from '../liblxc.ts';
import { runProgram, type FakeProcess, type FakeProgram } from './programs.ts';
import { fakeTerminal } from './terminal.ts';

const SIGKILL = 9;
/** SIGCHLD, SIGCONT, SIGURG and SIGWINCH end nobody. */
const harmless: readonly number[] = [17, 18, 23, 28];

export interface FakeWorld {
  programs: Readonly<Record<string, FakeProgram>>;
  reboot: () => void;
}

/** A pipe's two ends: an `exited` process does not wait for its output to be read. */
function openPipes() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  // A command may end without reading its input.
  stdin.on('error', () => undefined);
  return { stdin, stdout, stderr };
}

export function fakeExec(world: FakeWorld, request: ExecRequest, pid: number): ExecProcess {
  const ending = new AbortController();
  const exited = Promise.withResolvers<number>();
  let size = request.terminal;
  const signal = (number: number): void => {
    if (!harmless.includes(number)) finish(128 + number);
  };
  const terminal = request.terminal && fakeTerminal(signal);
  const piped = openPipes();
  let over = false;
  const finish = (status: number): void => {
    if (over) return;
    over = true;
    ending.abort();
    terminal?.hangUp();
    piped.stdout.end();
    piped.stderr.end();
    exited.resolve(status);
  };

  const process: FakeProcess = {
    request,
    argv: request.argv,
    stdin: terminal?.stdin ?? piped.stdin,
    stdout: terminal?.stdout ?? piped.stdout,
    stderr: terminal?.stdout ?? piped.stderr,
    ended: ending.signal,
    size: () => size,
    reboot: world.reboot,
  };
  runProgram(world.programs, process).then(finish, () => finish(1));

  return {
    pid,
    ...(terminal ? { terminal: terminal.outside } : { pipes: piped }),
    exited: exited.promise,
    signal,
    resize: (columns, rows) => {
      if (size) size = { columns, rows };
    },
    [Symbol.asyncDispose]: () => {
      signal(SIGKILL);
      terminal?.outside.destroy();
      for (const stream of Object.values(piped)) stream.destroy();
      return Promise.resolve();
    },
  };
}
