import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { BuildDocument, BuildFile } from './document/build-document.ts';
import { fieldName, type FieldPath } from './document/problems.ts';
import { substituteText } from './document/substitute.ts';
import { locateSource, sourceNodes, textNode, type FileNode } from './source-files.ts';

const maxTemplateBytes = 1024 * 1024;

/** With the owner that it is to have, as the document says it. */
export type OwnedNode = FileNode & { owner: string };

/** What a document refers to, read. */
export interface BuildInputs {
  /** For each step of files, in order. */
  files: readonly (readonly OwnedNode[])[];
  /** The contents of its templates, in order. */
  templates: readonly string[];
  /** SHA-256 of the keyring, if one is given. */
  keyring?: { path: string; sha256: string };
}

async function textOf(directory: string, source: string): Promise<string> {
  const content = await readFile(await locateSource(directory, source));
  if (content.length > maxTemplateBytes) throw new LxdError('invalid', `"${source}" is larger than 1 MiB`);
  return content.toString();
}

/** What goes wrong names the field. */
async function of<T>(field: FieldPath, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw new LxdError(code, `${fieldName(field)}: ${message}`, { cause: error });
  }
}

function nodesOf(
  { path, what, mode }: BuildFile,
  directory: string,
  vars: BuildDocument['vars'],
): Promise<FileNode[]> {
  const place = { path, ...(mode === undefined ? {} : { mode }) };
  switch (what.kind) {
    case 'source':
      return sourceNodes(directory, what.source, place);
    case 'content':
      return Promise.resolve([textNode(what.content, place)]);
    case 'link':
      return Promise.resolve([{ path, type: 'symlink', target: what.target }]);
    case 'directory':
      return Promise.resolve([{ path, type: 'directory', mode: mode ?? 0o755 }]);
    case 'template':
      return textOf(directory, what.template).then((text) => [
        textNode(
          substituteText(text, vars, (name) => {
            throw new LxdError(
              'invalid',
              `"${what.template}" uses the variable "${name}", which is not among "vars"`,
            );
          }),
          place,
        ),
      ]);
  }
}

const nameOf = (what: BuildFile['what']): string => (what.kind === 'link' ? 'target' : what.kind);

/** Reads all that a document refers to. @param directory of the document @throws LxdError `invalid`, naming the field */
export async function readInputs(document: BuildDocument, directory: string): Promise<BuildInputs> {
  const files: OwnedNode[][] = [];
  for (const step of document.steps) {
    if (step.kind !== 'files') continue;
    const nodes: OwnedNode[] = [];
    for (const [at, file] of step.files.entries()) {
      const field = [...step.at, at, nameOf(file.what)];
      const found = await of(field, () => nodesOf(file, directory, document.vars));
      nodes.push(...found.map((node) => ({ ...node, owner: file.owner })));
    }
    files.push(nodes);
  }
  const templates: string[] = [];
  for (const [at, { content, source = '' }] of document.templates.entries())
    templates.push(content ?? (await of(['templates', at, 'source'], () => textOf(directory, source))));
  const { from } = document;
  if (from.kind !== 'bootstrap' || from.keyring === undefined) return { files, templates };
  const { keyring } = from;
  return of(['from', 'keyring'], async () => {
    const path = isAbsolute(keyring) ? keyring : await locateSource(directory, keyring);
    const content = await readFile(path).catch((error: unknown) => {
      throw new LxdError('invalid', `cannot read "${keyring}"`, { cause: error });
    });
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { files, templates, keyring: { path, sha256 } };
  });
}
