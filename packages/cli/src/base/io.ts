import type { Readable, Writable } from 'node:stream';

/** The world outside: streams, environment, interrupts. `stdin` is opened only when somebody asks for it. */
export interface Io {
  readonly stdin: Readable & { setRawMode?: (raw: boolean) => unknown };
  readonly stdout: Writable & { columns?: number; rows?: number };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Calls back at every such signal until the returned function is called. */
  onSignal(signal: NodeJS.Signals, listener: () => void): () => void;
  now(): Date;
}

/** Everything that stdin brings. */
export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Asks on the terminal, or reads the next line of a pipe; undefined at the end. */
export function lineReader(io: Io): { ask(question: string): Promise<string | undefined>; close(): void } {
  let buffered = '';
  let ended = false;
  let wake: (() => void) | undefined;
  const { stdin } = io;
  const onData = (chunk: Buffer | string): void => {
    buffered += chunk.toString();
    wake?.();
  };
  const onEnd = (): void => {
    ended = true;
    wake?.();
  };
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  return {
    async ask(question) {
      io.stdout.write(question);
      while (!buffered.includes('\n') && !ended) await new Promise<void>((resolve) => (wake = resolve));
      const end = buffered.indexOf('\n');
      if (end < 0 && buffered === '') return undefined;
      const line = end < 0 ? buffered : buffered.slice(0, end);
      buffered = end < 0 ? '' : buffered.slice(end + 1);
      return line.trim();
    },
    close() {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.pause();
    },
  };
}
