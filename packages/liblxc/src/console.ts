import { once } from 'node:events';
import { Control } from './control.ts';
import { attached, spawnHelper, type Runtime } from './helper.ts';
import type { ConsoleSession } from './liblxc.ts';
import { joinTerminal } from './terminal.ts';

export async function openConsole(
  runtime: Runtime,
  name: string,
  size: { columns: number; rows: number },
  signal: AbortSignal,
): Promise<ConsoleSession> {
  signal.throwIfAborted();
  const args = ['console', runtime.lxcpath, name, String(size.columns), String(size.rows)];
  const child = spawnHelper(runtime, args, ['pipe', 'pipe', 'ignore']);
  const control = new Control(child);
  const terminal = joinTerminal(child);
  try {
    await attached(control, signal);
  } catch (error) {
    terminal.destroy();
    throw error;
  }
  return {
    terminal,
    resize: (columns, rows) => control.write(`resize ${columns} ${rows}\n`),
    [Symbol.asyncDispose]: async () => {
      // The console is free again when the helper is gone.
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      control.close();
      await gone;
      terminal.destroy();
    },
  };
}
