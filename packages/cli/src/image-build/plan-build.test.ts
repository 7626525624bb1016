import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freeAddress } from './builder-network.ts';
import { readDocument } from './document/read-document.ts';
import { composeTemplates } from './finish-image.ts';
import { planBuild, type BuildPlan } from './plan-build.ts';
import { readInputs } from './read-inputs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-plan-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const plan = async (document: string, base = 'base'): Promise<BuildPlan> => {
  const read = readDocument(document, 'f.yaml');
  return planBuild(read, await readInputs(read, dir), { fingerprint: base });
};
const inputs = (document: string) => readInputs(readDocument(document, 'f.yaml'), dir);
/** Which keys differ: base, steps, result. */
const changed = (one: BuildPlan, other: BuildPlan): string =>
  [one, other]
    .map(({ baseKey, steps, resultKey }) => [baseKey, ...steps.map(({ key }) => key), resultKey])
    .reduce<string[]>(
      (before, keys, at) => (at === 0 ? keys : keys.map((key, i) => (key === before[i] ? '=' : 'x'))),
      [],
    )
    .join('');

const document = `
image: {name: a, description: d}
from: x
env: {E: e}
steps: [{run: one}, {files: [{path: /f, source: f}]}, {packages: [p]}, {run: two}]
`;

describe('keys', () => {
  beforeEach(() => {
    writeFileSync(join(dir, 'f'), 'f');
  });

  it.each([
    ['nothing', '', '', '======'],
    ['its name', 'name: a', 'name: b', '======'],
    ['its description', 'description: d', 'description: e', '=====x'],
    ['the last command', 'run: two', 'run: zwei', '====xx'],
    ['a package', '[p]', '[p, q]', '===xxx'],
    ['the owner of a file', 'source: f', 'source: f, owner: nobody', '==xxxx'],
    ['the first command', 'run: one', 'run: eins', '=xxxxx'],
    ['the environment', 'E: e', 'E: f', '=xxxxx'],
    ['the time', 'from: x', 'from: x\nepoch: 1', 'xxxxxx'],
    ['what is left out', 'from: x', 'from: x\nexclude: [/a]', '=====x'],
  ])('change by %s', async (_what, from, to, keys) => {
    expect(changed(await plan(document), await plan(document.replace(from, to)))).toBe(keys);
  });

  it('change by the base', async () => {
    expect(changed(await plan(document), await plan(document, 'other'))).toBe('xxxxxx');
  });

  it('change by what is in a file, not by when it was written and who may write it', async () => {
    const before = await plan(document);
    execFileSync('touch', ['-d', '2001-01-01', join(dir, 'f')]);
    chmodSync(join(dir, 'f'), 0o600);
    expect(changed(before, await plan(document))).toBe('======');
    chmodSync(join(dir, 'f'), 0o700);
    expect(changed(before, await plan(document))).toBe('==xxxx');
    chmodSync(join(dir, 'f'), 0o600);
    writeFileSync(join(dir, 'f'), 'g');
    expect(changed(before, await plan(document))).toBe('==xxxx');
  });
});

describe('sources', () => {
  it('are what is in a directory, sorted, links as links', async () => {
    mkdirSync(join(dir, 'd/b'), { recursive: true });
    for (const name of ['d/z', 'd/b/x', 'd/a']) writeFileSync(join(dir, name), name);
    symlinkSync('/etc/shadow', join(dir, 'd/link'));
    const [nodes = []] = (await inputs('from: x\nfiles: [{path: /to, source: d, mode: 0640}]')).files;
    expect(nodes.map(({ path, type, mode, target }) => [path, type, mode ?? target])).toEqual([
      ['/to', 'directory', 0o750],
      ['/to/a', 'file', 0o640],
      ['/to/b', 'directory', 0o750],
      ['/to/b/x', 'file', 0o640],
      ['/to/link', 'symlink', '/etc/shadow'],
      ['/to/z', 'file', 0o640],
    ]);
    expect(await text((await nodes[3]?.open?.()) as NodeJS.ReadableStream)).toBe('d/b/x');
  });

  it('may be links within the directory, and not out of it', async () => {
    writeFileSync(join(dir, 'f'), 'f');
    symlinkSync('f', join(dir, 'in'));
    symlinkSync('/etc', join(dir, 'out'));
    mkdirSync(join(dir, 'sub'));
    symlinkSync('..', join(dir, 'sub/up'));
    const read = (source: string) => inputs(`from: x\nfiles: [{path: /to, source: ${source}}]`);
    expect((await read('in')).files[0]).toMatchObject([{ type: 'file', size: 1 }]);
    expect((await read('sub/up/f')).files[0]).toMatchObject([{ type: 'file', size: 1 }]);
    for (const source of ['out', 'out/passwd']) {
      await expect(read(source)).rejects.toThrow(
        `files[0].source: cannot use "${source}": it is a link out of the directory of the document`,
      );
    }
    await expect(read('none')).rejects.toThrow('files[0].source: cannot use "none": there is no such file');
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    await expect(read('fifo')).rejects.toThrow('a device, a socket or a FIFO');
  });

  it('that are templates get variables, and no unknown ones', async () => {
    writeFileSync(join(dir, 't'), '${vars.a} $a ${a}');
    const [[node] = []] = (await inputs('vars: {a: 1}\nfrom: x\nfiles: [{path: /t, template: t}]')).files;
    expect(await text((await node?.open?.()) as NodeJS.ReadableStream)).toBe('1 $a ${a}');
    await expect(inputs('from: x\nsteps: [{files: [{path: /t, template: t}]}]')).rejects.toThrow(
      'steps[0].files[0].template: "t" uses the variable "a", which is not among "vars"',
    );
  });
});

describe('templates', () => {
  const one = { when: ['create'], create_only: false, template: 'one.tpl', properties: {} };
  const before = { '/etc/hostname': one, '/var/lib/cloud/seed/nocloud-net/user-data': one };
  const compose = (more: string) => {
    const read = readDocument(`from: x\n${more}`, 'f.yaml');
    return composeTemplates(
      before,
      read,
      read.templates.map(({ content }) => content ?? ''),
    );
  };

  it('are those of the base, with its own over them', () => {
    const { templates, files } = compose(
      'templates: [{path: /etc/hostname, content: a}, {path: /etc-hostname, content: b}]',
    );
    expect(Object.keys(templates)).toEqual([...Object.keys(before), '/etc-hostname']);
    expect(templates['/etc/hostname']?.template).toBe('build-etc-hostname.tpl');
    expect(files).toEqual({ 'build-etc-hostname.tpl': 'a', 'another-build-etc-hostname.tpl': 'b' });
  });

  it("have cloud-init's seed when it is wanted, and not when it is not", () => {
    expect(Object.keys(compose('cloud-init: false').templates)).toEqual(['/etc/hostname']);
    expect(Object.keys(compose('cloud-init: true').templates).map((path) => path.split('/').pop())).toEqual([
      ...['hostname', 'meta-data', 'user-data', 'vendor-data', 'network-config'],
    ]);
  });
});

describe('the address of a builder', () => {
  it('is one that is free, within the network', () => {
    expect(freeAddress('10.1.2.1/30', new Set(), () => 0)).toEqual({
      address: '10.1.2.2',
      prefix: 30,
      gateway: '10.1.2.1',
    });
    expect(freeAddress('10.1.2.1/24', new Set(['10.1.2.254']), () => 253)?.address).toBe('10.1.2.2');
    expect(freeAddress('192.168.255.9/16', new Set(), () => 300)?.address).toBe('192.168.1.45');
  });

  it.each(['none', 'auto', '', '10.1.2.1/31'])('is none where there can be none: %j', (cidr) => {
    expect(freeAddress(cidr, new Set())).toBeUndefined();
  });

  it('is none where all are taken', () => {
    expect(freeAddress('10.1.2.1/30', new Set(['10.1.2.2']))).toBeUndefined();
  });
});
