import { nameOf, operationsOf, type Document, type Operation } from './document.ts';

function bodyOf({ requestBody }: Operation): string {
  if (!requestBody) return 'none';
  const types = Object.keys(requestBody.content);
  if (types[0] === 'application/json' && types.includes('application/octet-stream')) return 'json-or-file';
  if (types.includes('application/octet-stream')) return 'binary';
  return types.includes('multipart/form-data') ? 'multipart' : 'json';
}

/** What a router has to know of every operation. */
export function emitRoutes(document: Document): string {
  const rows = operationsOf(document).map(({ path, method, item, operation }) => {
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(({ $ref }) => {
      const found = document.components.parameters[nameOf($ref)];
      if (!found) throw new Error(`${operation.operationId}: no parameter ${$ref}`);
      return found;
    });
    const row = {
      operationId: operation.operationId,
      method,
      path,
      aliases: (item['x-aliases'] ?? []).filter((alias) => alias !== path),
      requestBody: bodyOf(operation),
      queryParameters: parameters.filter((each) => each.in === 'query').map((each) => each.name),
      slashes: parameters.filter((each) => each['x-slashes']).map((each) => each.name),
      websocket: operation['x-websocket'] ?? false,
      public: operation.security?.some((scheme) => Object.keys(scheme).length === 0) ?? false,
    };
    return `  ${JSON.stringify(row)},`;
  });
  return `import type { ApiRoute } from './api-route.ts';\n\nexport const routes: readonly ApiRoute[] = [\n${rows.join('\n')}\n];\n`;
}
