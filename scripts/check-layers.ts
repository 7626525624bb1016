/**
 * Fails on a forbidden import between packages, on a cycle between files, and on an import past a package's index.
 * Also when the table of packages/README.md is another than the one here.   node scripts/check-layers.ts
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const drivers = ['storage', 'network', 'devices', 'images'];

/** Package → packages of ours it may import. */
export const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'api-types': [],
  state: ['core'],
  scheduler: ['core'],
  rpc: ['core'],
  host: ['core'],
  liblxc: ['core'],
  client: ['core', 'api-types'],
  storage: ['core', 'host'],
  network: ['core', 'host'],
  devices: ['core', 'host'],
  images: ['core', 'host'],
  operations: ['core', 'state'],
  server: ['core', 'api-types', 'state', 'scheduler', 'operations', 'rpc', ...drivers],
  agent: ['core', 'rpc', 'liblxc', 'host', ...drivers],
  cli: ['client', 'core'],
  web: ['client', 'core'],
  daemon: [
    ...[
      'core',
      'api-types',
      'state',
      'scheduler',
      'rpc',
      'host',
      'liblxc',
      'client',
      'operations',
      'server',
      'agent',
    ],
    ...drivers,
  ],
};

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** What a file imports, by specifier. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].flatMap((match) => match[1] ?? match[2] ?? []);
}

/** The sentence that says what is wrong with one import, if anything is. */
export function wrongImport(fromPackage: string, specifier: string): string | undefined {
  const match = /^@lxd-ts\/([^/]+)(\/.*)?$/.exec(specifier);
  if (!match) return undefined;
  const [, target = '', deep] = match;
  if (deep) return `imports past the index of ${target}: ${specifier}`;
  if (target !== fromPackage && !allowed[fromPackage]?.includes(target)) {
    return `${fromPackage} may not import ${target}`;
  }
  return undefined;
}

/** Cycles among files, each as the path around it. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  const walk = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

/** Package → packages of ours it may import, as the architecture page has it: rows `| core | – | … |`. */
export function documented(page: string): Record<string, string[]> {
  const table = page.slice(page.indexOf('| room |')).split('\n\n')[0] ?? '';
  const rows = table.matchAll(/^\| ([a-z-]+) \| ([a-z, -]+|–) \|/gm);
  return Object.fromEntries(
    [...rows]
      .filter(([, room]) => room !== 'room')
      .map(([, room = '', imports = '']) => [room, imports === '–' ? [] : imports.split(', ')]),
  );
}

/** A sentence for each room whose row differs from the table. */
export function wrongRows(page: string): string[] {
  const rows = documented(page);
  const rooms = new Set([...Object.keys(allowed), ...Object.keys(rows)]);
  const text = (imports: readonly string[] | undefined) => [...(imports ?? ['(no row)'])].sort().join(', ');
  return [...rooms]
    .filter((room) => text(rows[room]) !== text(allowed[room]))
    .map(
      (room) => `packages/README.md: ${room} may import ${text(allowed[room])}; it says ${text(rows[room])}`,
    );
}

function check(): string[] {
  const problems = wrongRows(readFileSync(join(root, 'packages/README.md'), 'utf8'));
  const graph = new Map<string, string[]>();
  for (const file of globSync('packages/*/src/**/*.ts', { cwd: root })) {
    const from = file.split('/')[1] ?? '';
    if (!allowed[from])
      problems.push(`${file}: package ${from} is not in the table of scripts/check-layers.ts`);
    const source = readFileSync(join(root, file), 'utf8');
    const targets: string[] = [];
    for (const specifier of importsOf(source)) {
      const wrong = wrongImport(from, specifier);
      if (wrong) problems.push(`${file}: ${wrong}`);
      if (!specifier.startsWith('.')) continue;
      const target = relative(root, resolve(root, dirname(file), specifier));
      if (!target.startsWith(`packages/${from}/`)) problems.push(`${file}: leaves its package: ${specifier}`);
      else if (!existsSync(join(root, target)))
        problems.push(`${file}: imports what does not exist: ${specifier}`);
      // A type-only import leaves nothing behind at run time and may point back.
      if (!new RegExp(`import type [^;]*from\\s*['"]${specifier.replace(/[.]/g, '\\.')}['"]`).test(source))
        targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...problems, ...cycles(graph).map((path) => `import cycle: ${path.join(' -> ')}`)];
}

if (process.argv[1] === import.meta.filename) {
  const problems = check();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('layers: every import is allowed, no cycles');
}
