import type { OperationId } from './operation-types.ts';
import * as validators from './validators.gen.ts';

export interface RequestProblem {
  /** Where in the body, e.g. `config.limits.cpu`; empty for the body itself. */
  field: string;
  /** A sentence that names the field: `config.limits.cpu: must be a string`. */
  message: string;
}

export interface ReadRequest {
  /** The body as handlers see it: null has become the empty value. */
  body: unknown;
  /** Empty when the body is right. */
  problems: RequestProblem[];
}

/** What the generated code reports; the part of ajv's ErrorObject that is read here. */
interface Finding {
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
}

type Validator = ((body: unknown) => boolean) & { errors?: Finding[] | null };

/** No request is deeper. What is below is not described, so nobody reads it. */
const deepest = 8;

/** Drops fields that are null; in a map of strings null is an empty string. */
function withoutNulls(value: unknown, mapDepth: number, level: number): unknown {
  if (typeof value !== 'object' || value === null || level > deepest) return value;
  if (Array.isArray(value))
    return value.map((item: unknown) => (item === null ? '' : withoutNulls(item, 0, level + 1)));
  const fields = Object.entries(value).flatMap(([name, field]: [string, unknown]): [string, unknown][] => {
    if (field === null) return mapDepth === 0 ? [] : [[name, mapDepth === 1 ? '' : {}]];
    const depth = mapDepth > 0 ? mapDepth - 1 : (validators.mapFields.get(name) ?? 0);
    return [[name, withoutNulls(field, depth, level + 1)]];
  });
  return Object.fromEntries(fields);
}

const typeSentences: Readonly<Record<string, string>> = {
  string: 'must be a string',
  boolean: 'must be true or false',
  integer: 'must be a whole number',
  object: 'must be an object',
  array: 'must be a list',
};

function sentence({ keyword, params }: Finding): string {
  switch (keyword) {
    case 'type':
      return typeSentences[String(params['type'])] ?? `must be of type ${String(params['type'])}`;
    case 'required':
      return 'is required';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as string[]).filter(Boolean).join(', ')}`;
    case 'minLength':
      return 'must not be empty';
    case 'minimum':
      return `must be at least ${String(params['limit'])}`;
    case 'maximum':
      return `must be at most ${String(params['limit'])}`;
    case 'format':
      return 'must be a time such as 2026-01-31T12:00:00Z';
    default:
      return 'is not valid';
  }
}

function problem(finding: Finding): RequestProblem {
  const path = finding.instancePath.split('/').slice(1);
  if (finding.keyword === 'required') path.push(String(finding.params['missingProperty']));
  const field = path.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
  return { field, message: `${field || 'the request body'}: ${sentence(finding)}` };
}

/** Reads a parsed JSON body. An operation without a described body takes anything. */
export function readRequest(operationId: OperationId, json: unknown): ReadRequest {
  const body = withoutNulls(json ?? {}, 0, 0);
  const validate = (validators as unknown as Record<OperationId, Validator | undefined>)[operationId];
  if (!validate || validate(body)) return { body, problems: [] };
  return { body, problems: (validate.errors ?? []).map(problem) };
}

/** What is wrong with a parsed JSON body. */
export const validateRequest = (operationId: OperationId, json: unknown): RequestProblem[] =>
  readRequest(operationId, json).problems;
