import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import { attachConsole } from '@lxd-ts/client';
import type { FlagSpec } from '../../base/args.ts';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import { textOutput, type Output } from '../../base/output.ts';
import type { Place } from '../../base/shell.ts';
import { rawTerminal, terminalSize } from './terminal.ts';

export const consoleFlag = {
  kind: 'optional',
  value: 'console',
  implied: 'console',
  help: 'Attach to the console at once',
} as const satisfies FlagSpec;

const ctrlA = 0x01;
const letterQ = 0x71;

/** Passes keys on and calls back at ctrl+a q, which is not passed on. ctrl+a twice sends one. */
export function detachKeys(onDetach: () => void): Transform {
  let held = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const out: number[] = [];
      for (const byte of chunk) {
        if (held) {
          held = false;
          if (byte === letterQ) {
            onDetach();
            break;
          }
          if (byte !== ctrlA) out.push(ctrlA);
          out.push(byte);
        } else if (byte === ctrlA) held = true;
        else out.push(byte);
      }
      done(null, out.length > 0 ? Buffer.from(out) : undefined);
    },
  });
}

/** @param work what is done while it is attached; that ends with it */
async function attach(context: Context, name: string, work?: () => Promise<void>): Promise<void> {
  const { io } = context;
  const detached = Promise.withResolvers<undefined>();
  const keys = io.stdin.pipe(
    detachKeys(() => {
      detached.resolve(undefined);
    }),
  );
  const session = await attachConsole(
    context.client,
    name,
    { stdin: keys, stdout: io.stdout },
    terminalSize(io),
  );
  using stack = new DisposableStack();
  context.say('To detach from the console, press: <ctrl>+a q');
  stack.use(rawTerminal(io));
  stack.defer(
    io.onSignal('SIGWINCH', () => {
      const { width, height } = terminalSize(io);
      session.resize(width, height);
    }),
  );
  const working = work?.();
  try {
    await Promise.race([session.closed, detached.promise, ...(working ? [working] : [])]);
  } finally {
    session.detach();
    io.stdin.unpipe(keys);
  }
  await working;
}

function checkType(type: string | undefined): void {
  if (type !== undefined && type !== 'console') {
    throw new LxdError('unsupported', `Unknown console type "${type}": containers have a text console only`);
  }
}

function onlyPlace(places: readonly Place[], type: string): Place {
  checkType(type);
  const [only] = places;
  if (places.length !== 1 || only === undefined)
    throw new LxdError('invalid', '--console only works with a single instance');
  return only;
}

/** For commands that start instances with `--console`. */
export async function consoleAfter(places: readonly Place[], type: string | undefined): Promise<undefined> {
  if (type !== undefined) await attach(...onlyPlace(places, type));
  return undefined;
}

/** For `stop --console`: what is printed while it is done. */
export async function consoleDuring(
  places: readonly Place[],
  type: string,
  work: (...place: Place) => Promise<void>,
): Promise<undefined> {
  const place = onlyPlace(places, type);
  await attach(...place, () => work(...place));
  return undefined;
}

export default command({
  usage: '[<remote>:]<instance>',
  arity: [1, 1],
  description: 'Attaches to the console of an instance (ctrl+a q detaches), or shows what was printed on it.',
  examples: [
    ['console c1', 'Attach to the console of c1'],
    ['console c1 --show-log', 'Show what c1 printed since it started'],
  ],
  flags: {
    'show-log': { kind: 'boolean', help: 'Show the log of the console' },
    type: { kind: 'string', short: 't', value: 'console', help: 'Type of console' },
  },
  async run(shell, [instance], flags): Promise<Output | undefined> {
    const [context, name] = await shell.require(instance, 'instance');
    checkType(flags.type);
    if (!flags['show-log']) {
      await attach(context, name);
      return undefined;
    }
    const log = await text(await context.client.download(apiPath('instances', name, 'console')));
    return textOutput(`\nConsole log:\n\n${log}`);
  },
});
