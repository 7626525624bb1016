import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allowed, cycles, documented, importsOf, wrongImport, wrongRows } from './check-layers.ts';

test('finds imports of every form', () => {
  const source = [
    "import { a } from '@lxd-ts/core';",
    "import type { B,\n  C } from './b.ts';",
    "export * from './c.ts';",
    "const d = await import('./d.ts');",
  ].join('\n');
  expect(importsOf(source)).toEqual(['@lxd-ts/core', './b.ts', './c.ts', './d.ts']);
});

test('refuses what the table does not allow, and deep imports', () => {
  expect(wrongImport('server', '@lxd-ts/host')).toBe('server may not import host');
  expect(wrongImport('agent', '@lxd-ts/state')).toBe('agent may not import state');
  expect(wrongImport('agent', '@lxd-ts/core/src/undo.ts')).toContain('past the index');
  expect(wrongImport('agent', '@lxd-ts/host')).toBeUndefined();
  expect(wrongImport('agent', 'yaml')).toBeUndefined();
});

test('finds a cycle', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['a']],
  ]);
  expect(cycles(graph)).toEqual([['a', 'b', 'c', 'a']]);
  expect(
    cycles(
      new Map([
        ['a', ['b']],
        ['b', []],
      ]),
    ),
  ).toEqual([]);
});

test("the architecture page's table is the one that is checked", () => {
  const page = readFileSync(join(import.meta.dirname, '../packages/README.md'), 'utf8');
  expect(Object.keys(documented(page)).sort()).toEqual(Object.keys(allowed).sort());
  expect(wrongRows(page)).toEqual([]);
  expect(wrongRows(page.replace('| client | core, api-types |', '| client | core |'))).toEqual([
    'packages/README.md: client may import api-types, core; it says core',
  ]);
  expect(wrongRows(page.replace(/^\| web .*\n/m, ''))).toHaveLength(1);
});
