import { Duplex, PassThrough, Writable } from 'node:stream';

const SIGINT = 2;

/** A terminal's two sides: what is typed is echoed, lines end in CR LF, ^D ends the input and ^C interrupts. */
export interface FakeTerminal {
  /** The user's side. */
  outside: Duplex;
  /** The program's side. */
  stdin: PassThrough;
  stdout: Writable;
  /** Nobody uses it any more: what was written can still be read. */
  hangUp(): void;
}

export function fakeTerminal(interrupt: (signal: number) => void): FakeTerminal {
  const stdin = new PassThrough();
  let flushed: (() => void) | undefined;
  let open = true;
  const outside = new Duplex({
    read: () => {
      flushed?.();
      flushed = undefined;
    },
    write: (data: Buffer, _encoding, done) => {
      for (const character of open ? data.toString() : '') {
        if (character === '\x03') interrupt(SIGINT);
        else if (character === '\x04') stdin.end();
        else {
          outside.push(character === '\n' ? '\r\n' : character);
          if (!stdin.writableEnded) stdin.write(character);
        }
      }
      done();
    },
    destroy: (error, done) => {
      flushed?.();
      done(error);
    },
  });
  outside.on('error', () => undefined);
  const stdout = new Writable({
    write: (data: Buffer, _encoding, done) => {
      const lines = data.toString('latin1').replaceAll('\n', '\r\n');
      if (!open || outside.push(Buffer.from(lines, 'latin1'))) done();
      else flushed = done;
    },
  });
  const hangUp = () => {
    if (open && !outside.destroyed) outside.push(null);
    open = false;
    stdin.destroy();
  };
  return { outside, stdin, stdout, hangUp };
}
