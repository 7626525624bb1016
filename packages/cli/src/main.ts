import { isatty } from 'node:tty';
import type { Io } from './base/io.ts';
import { run } from './run.ts';

const io: Io = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  env: process.env,
  stdinIsTty: isatty(0),
  stdoutIsTty: isatty(1),
  stderrIsTty: isatty(2),
  onSignal(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
  now: () => new Date(),
};

/** The compile cache is turned on by what loads this file: it is one module when bundled. */
async function main(): Promise<void> {
  const code = await run(process.argv.slice(2), io);
  // An open stdin must not keep a finished command; what was printed must be out first.
  process.stdout.write('', () => process.exit(code));
}

// `lxd-ts list | head` is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
void main();
