import { readFileSync } from 'node:fs';
import type { BusyboxImage } from '../support/busybox.ts';
import type { Client } from '../support/client.ts';
import type { Answer, OperationView, Rest } from '../support/rest.ts';
import { normalise } from './normalise.ts';

/**
 * One thing that is asked of both servers. `{fingerprint}`, `{operation}` (the last one's id), `{output}` (a log of the last
 * operation) and `{dir}` are filled in.
 */
export interface Step {
  name: string;
  rest?: readonly [method: string, path: string, body?: unknown, headers?: Record<string, string>];
  /** The body is this archive. */
  upload?: keyof BusyboxImage;
  /** Do not wait for the operation. */
  background?: true;
  lxc?: readonly string[];
  input?: string;
  /** The client prints what it holds in a map, in any order. */
  unordered?: true;
  /** Answers that are waited for, with something else in them until then. */
  until?: RegExp;
}

/** A server, and what its earlier steps told. */
export interface Side {
  dir: string;
  rest: Rest;
  lxc: Client;
  image: BusyboxImage;
  memory: Record<string, string>;
}

const fill = (text: string, memory: Record<string, string>): string =>
  text.replace(/\{(\w+)\}/g, (all, name: string) => memory[name] ?? all);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function remember(side: Side, operation: OperationView): void {
  side.memory['operation'] = operation.id;
  const { metadata } = operation;
  if (typeof metadata?.['fingerprint'] === 'string') side.memory['fingerprint'] = metadata['fingerprint'];
  const output = metadata?.['output'];
  if (isObject(output)) side.memory['output'] = String(output['1']);
}

/** What is told of a file of an instance, but for when it was changed. */
const fileOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(
    ['x-lxd-type', 'x-lxd-uid', 'x-lxd-gid', 'x-lxd-mode', 'content-disposition'].map((name) => [
      name,
      headers[name],
    ]),
  );

async function ask(side: Side, step: Step): Promise<unknown> {
  if (step.lxc) {
    const { code, stdout, stderr } = await side.lxc(
      step.lxc.map((word) => fill(word, side.memory)),
      step.input === undefined ? {} : { input: step.input },
    );
    const lines = step.unordered ? stdout.split('\n').sort().join('\n') : stdout;
    return { code, stdout: lines, stderr };
  }
  const [method = 'GET', path = '/', body, headers] = step.rest ?? [];
  const told =
    typeof body === 'object' ? (JSON.parse(fill(JSON.stringify(body), side.memory)) as unknown) : body;
  const data = step.upload ? readFileSync(side.image[step.upload]) : told;
  const type = step.upload ? { 'Content-Type': 'application/octet-stream' } : {};
  const answer = await side.rest.send(method, fill(path, side.memory), data, { ...type, ...headers });
  const first = {
    status: answer.status,
    type: answer.type,
    error: answer.error,
    etag: answer.headers['etag'] !== undefined,
    location: answer.headers['location'],
    contentType: answer.headers['content-type'],
    ...(answer.headers['x-lxd-type'] === undefined ? {} : { file: fileOf(answer) }),
    ...(answer.type ? { metadata: answer.metadata } : { text: answer.text }),
  };
  if (answer.type !== 'async') return first;
  const operation = answer.metadata as OperationView;
  side.memory['operation'] = operation.id;
  // What is already done when the answer is written is a race.
  const {
    id: _,
    status: __,
    status_code: ___,
    metadata: ____,
    ...begun
  } = { ...operation } as Record<string, unknown>;
  if (step.background) return { ...first, metadata: begun };
  const over = await side.rest.send('GET', `/1.0/operations/${operation.id}/wait?timeout=60`);
  remember(side, over.metadata as OperationView);
  return { ...first, metadata: undefined, over: over.metadata };
}

/** What the server answers, with what cannot be equal on two servers taken out. */
export async function runStep(side: Side, step: Step): Promise<unknown> {
  // As long as udhcpc needs for two rounds, should nobody hear the first.
  for (let tries = 0; ; tries++) {
    const outcome = await ask(side, step);
    if (!step.until || step.until.test(JSON.stringify(outcome)) || tries > 160)
      return normalise(outcome, side);
    await new Promise((done) => setTimeout(done, 250));
  }
}
