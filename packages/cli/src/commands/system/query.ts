import { text } from 'node:stream/consumers';
import { LxdError } from '@lxd-ts/core';
import { openResponse } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput, type Output } from '../../base/output.ts';

const pretty = (value: unknown): Output =>
  textOutput(typeof value === 'string' ? value : JSON.stringify(value, null, '\t'));

function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new LxdError('invalid', `--data is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

export default command({
  usage: '[<remote>:]<path>',
  arity: [1, 1],
  description: 'Sends a request to the API of the server and shows what it answers.',
  examples: [
    ['query /1.0/instances?recursion=1', 'Get something'],
    [
      'query -X PUT -d \'{"action":"start"}\' --wait /1.0/instances/c1/state',
      'Do something and wait for its end',
    ],
  ],
  flags: {
    data: { kind: 'string', short: 'd', value: 'json', help: 'Body of the request' },
    raw: { kind: 'boolean', help: 'Show the whole answer, envelope included' },
    request: { kind: 'string', short: 'X', value: 'method', help: 'Method (default GET)' },
    wait: { kind: 'boolean', help: 'Wait for the operation that the request starts' },
  },
  async run(shell, [arg = ''], flags) {
    const [context, path] = arg.startsWith('/') ? [await shell.default(), arg] : await shell.parse(arg);
    if (!path.startsWith('/')) throw new LxdError('invalid', 'Query path must start with /');
    if (flags.raw && flags.wait) throw new LxdError('invalid', 'Use --raw or --wait, not both');
    const method = (flags.request ?? 'GET').toUpperCase();
    const body = flags.data === undefined ? {} : { body: parseData(flags.data) };
    const response = await context.client.raw(method, path, body);
    const answer = await text(response);
    if (flags.raw) return pretty(JSON.parse(answer));
    const isJson = (response.headers['content-type'] ?? '').includes('json');
    if (!isJson && (response.statusCode ?? 0) < 400) return textOutput(answer);
    const reply = openResponse(response.statusCode ?? 0, answer);
    if (reply.kind === 'operation') {
      const operation = flags.wait ? await context.wait(reply.operation) : reply.operation;
      return pretty(operation);
    }
    const { metadata } = reply;
    const nothing = metadata === null || metadata === undefined;
    return nothing ||
      (typeof metadata === 'object' && Object.keys(metadata).length === 0 && !Array.isArray(metadata))
      ? undefined
      : pretty(metadata);
  },
});
