import type { Io } from '../../base/io.ts';

export const terminalSize = (io: Io): { width: number; height: number } => ({
  width: io.stdout.columns ?? 80,
  height: io.stdout.rows ?? 24,
});

/** Keys go through unchanged (ctrl+c too) until disposed. */
export function rawTerminal(io: Io): Disposable {
  if (!io.stdinIsTty) return { [Symbol.dispose]: () => undefined };
  io.stdin.setRawMode?.(true);
  return { [Symbol.dispose]: () => io.stdin.setRawMode?.(false) };
}
