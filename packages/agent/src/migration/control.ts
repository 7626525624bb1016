import { LxdError } from '@lxd-ts/core';
import { endOfPart, wire, type MessageChannel } from '@lxd-ts/rpc';

/** Field 2 as a string: only an outcome has that; a header has a number there. */
const messageTag = 0x12;

const gone = (): LxdError =>
  new LxdError('unavailable', 'The other server ended the migration without saying why');

function outcomeError({ message }: wire.Outcome): LxdError {
  return new LxdError('internal', message ? message : 'The other server gave the migration up');
}

async function next(control: MessageChannel): Promise<Buffer> {
  const message = await control.receive();
  if (message === undefined || message === endOfPart) throw gone();
  return message;
}

/** @throws LxdError `internal` with the reason of the other side, when it gives up instead */
export async function readHeader(control: MessageChannel): Promise<wire.Header> {
  const message = await next(control);
  if (message[2] === messageTag) {
    const outcome = wire.Outcome.decode(message);
    if (outcome.success === false) throw outcomeError(outcome);
  }
  return wire.Header.decode(message);
}

export const sendHeader = (control: MessageChannel, header: wire.Header): Promise<void> =>
  control.send(wire.Header.encode(header).finish());

/** The last word. */
export const sendOutcome = (control: MessageChannel, success: boolean, message = ''): Promise<void> =>
  control.send(wire.Outcome.encode({ success, message }).finish());

/** Resolves with the other side's success. @throws LxdError when it failed, or went away */
export async function readOutcome(control: MessageChannel): Promise<void> {
  const outcome = wire.Outcome.decode(await next(control));
  if (outcome.success !== true) throw outcomeError(outcome);
}
