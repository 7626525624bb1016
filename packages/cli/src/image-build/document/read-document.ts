import { LxdError } from '@lxd-ts/core';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { BuildDocument } from './build-document.ts';
import { Problems, type FieldPath } from './problems.ts';
import { documentShape } from './document-shape.ts';
import { mapOf, text } from './shape.ts';
import { substitute } from './substitute.ts';
import { toDocument } from './to-document.ts';

const variables = mapOf(/^[A-Za-z_][\w.-]*$/, text('a text', /^[^]*$/));

/** The line where a field is, or the nearest above it that there is. */
function lineIn(document: Document, counter: LineCounter, path: FieldPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return undefined;
}

/** Defaults of the document, and over them what is given for this build. */
function valuesOf(
  raw: unknown,
  given: Readonly<Record<string, string>>,
  problems: Problems,
): Record<string, string> {
  const declared = raw === undefined ? {} : variables.read(raw, ['vars'], problems);
  const names = Object.keys(declared);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const known = names.length === 0 ? 'it has no "vars"' : `there are ${names.join(', ')}`;
    throw new LxdError('invalid', `--var ${name}: the document has no such variable; ${known}`);
  }
  for (const [name, value] of Object.entries(declared)) {
    if (value === '' && !Object.hasOwn(given, name))
      problems.add(['vars', name], `has no value: give one with --var ${name}=VALUE`);
  }
  return { ...declared, ...given };
}

/**
 * Reads and checks a document. @param file its name, for messages
 * @throws LxdError `invalid`, with all that is wrong with it: field by field, and what would be right
 */
export function readDocument(
  source: string,
  file: string,
  given: Readonly<Record<string, string>> = {},
): BuildDocument {
  const counter = new LineCounter();
  // The plainest schema: all scalars are texts, and it is the fields' shapes that say what they mean.
  const parsed = parseDocument(source, { schema: 'failsafe', lineCounter: counter, prettyErrors: false });
  const [error] = parsed.errors;
  if (error) {
    const { line } = counter.linePos(error.pos[0]);
    throw new LxdError('invalid', `${file}:${line}: not YAML: ${error.message}`);
  }
  const problems = new Problems();
  const raw: unknown = parsed.toJS({ maxAliasCount: 100 });
  const { vars: declared, ...rest } = (
    typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? raw : { '': raw }
  ) as Record<string, unknown>;
  if (Object.hasOwn(rest, ''))
    throw new LxdError('invalid', `${file}: must be a map, with "from" and what is done to it`);
  const vars = valuesOf(declared, given, problems);
  const filled = substitute(rest, vars, [], problems);
  const lineOf = (path: FieldPath) => lineIn(parsed, counter, path);
  const shaped = documentShape.read(filled, [], problems);
  problems.check(file, lineOf);
  const document = toDocument(shaped, vars, problems);
  problems.check(file, lineOf);
  return document;
}
