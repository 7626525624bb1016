import { LxdError } from '@lxd-ts/core';
import { parseAllDocuments, stringify, visit, isPair, isScalar, type Document } from 'yaml';

/** Maps of the API whose values are all strings: `limits.cpu: 2` means "2" there. */
const stringMaps = new Set(['config', 'devices', 'properties', 'expanded_config', 'expanded_devices']);

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      stringMaps.has(key) ? sortKeys(inner) : ordered(inner),
    ]),
  );
}

/** As LXD's client writes it: records in the API's order, configurations sorted by key. */
export const toYaml = (value: unknown): string =>
  stringify(ordered(value), { lineWidth: 0, indentSeq: false, aliasDuplicateObjects: false });

function stringsStayStrings(document: Document): void {
  visit(document, {
    Scalar(key, node, path) {
      if (key === 'key') return;
      const inside = path.some(
        (step) => isPair(step) && isScalar(step.key) && stringMaps.has(String(step.key.value)),
      );
      if (inside && typeof node.value !== 'string') node.value = node.source ?? '';
    },
  });
}

/** YAML or JSON as people write it. Undefined for an empty text. */
export function fromYaml(text: string): unknown {
  const documents = parseAllDocuments(text);
  const document = 'empty' in documents ? undefined : documents[0];
  if (!document) return undefined;
  const [error] = document.errors;
  if (error) throw new LxdError('invalid', `Invalid YAML: ${error.message.split('\n')[0] ?? ''}`);
  stringsStayStrings(document);
  return (document.toJS({ maxAliasCount: 100 }) as unknown) ?? undefined;
}

/** The same, where a map is expected. */
export function mapFromYaml(text: string): Record<string, unknown> {
  const value = fromYaml(text) ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new LxdError('invalid', 'Invalid YAML: a map of keys and values is expected');
  }
  return value as Record<string, unknown>;
}
