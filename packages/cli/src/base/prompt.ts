import { LxdError } from '@lxd-ts/core';
import { lineReader } from './io.ts';
import type { Shell } from './shell.ts';

/** Asks one question; an end of the input is an error. */
export async function prompt(shell: Shell, question: string): Promise<string> {
  const reader = lineReader(shell.io);
  try {
    const answer = await reader.ask(question);
    if (answer === undefined) throw new LxdError('cancelled', 'No answer was given');
    return answer;
  } finally {
    reader.close();
  }
}

/** The same for a secret: on a terminal it is not shown. */
export async function promptSecret(shell: Shell, question: string): Promise<string> {
  const { io } = shell;
  if (!io.stdinIsTty) return prompt(shell, question);
  io.stdout.write(question);
  io.stdin.setRawMode?.(true);
  let text = '';
  try {
    for await (const chunk of io.stdin) {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n' || key === '\u0004') return text;
        if (key === '\u0003') throw new LxdError('cancelled', 'Interrupted');
        text = key === '\u007f' || key === '\b' ? text.slice(0, -1) : text + key;
      }
    }
    return text;
  } finally {
    io.stdin.setRawMode?.(false);
    io.stdout.write('\n');
  }
}

/** Anything but "yes" ends the command. */
export async function confirm(shell: Shell, question: string, refusal: string): Promise<void> {
  const answer = await prompt(shell, `${question} (yes/no) [default=no]: `);
  if (!/^y(es)?$/i.test(answer)) throw new LxdError('cancelled', refusal);
}
