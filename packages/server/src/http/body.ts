import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { readRequest, type OperationId } from '@lxd-ts/api-types';
import { LxdError } from '@lxd-ts/core';

/** A JSON body is configuration; what is larger is a mistake or an attack. */
const maxBytes = 4 * 1024 * 1024;

async function readText(body: Readable, headers: IncomingHttpHeaders): Promise<string> {
  const tooLarge = () =>
    new LxdError(
      'too-large',
      `The request body is larger than ${maxBytes / 1024 / 1024} MiB, the most for JSON`,
    );
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Whoever sends too much still gets the answer: the connection is not torn down under it.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The request's JSON, checked against the OpenAPI document.
 * @throws LxdError `invalid`, naming the field
 */
export async function readBody(
  stream: Readable,
  headers: IncomingHttpHeaders,
  operationId: OperationId,
): Promise<unknown> {
  const text = await readText(stream, headers);
  let json: unknown;
  try {
    json = text.trim() === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LxdError('invalid', `The request body is not valid JSON: ${why}`);
  }
  const { body, problems } = readRequest(operationId, json);
  const [problem] = problems;
  if (problem) throw new LxdError('invalid', problem.message);
  return body;
}
