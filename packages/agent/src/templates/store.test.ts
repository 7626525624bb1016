import { execFileSync } from 'node:child_process';
import {
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TemplateStore } from './store.ts';

let dir: string;
let store: TemplateStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-templates-'));
  store = new TemplateStore(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

test('an instance without any has none', async () => {
  expect(await store.text()).toBeUndefined();
  expect(await store.list()).toEqual([]);
  await expect(store.read('x')).rejects.toMatchObject({ code: 'not-found' });
  expect(await store.metadata()).toEqual({
    architecture: '',
    creation_date: 0,
    expiry_date: 0,
    properties: {},
    templates: null,
  });
});

test('what is written is read, and nothing else is left', async () => {
  await store.write('b.tpl', Buffer.from('b'));
  await store.write('a.tpl', Buffer.from('a'));
  await store.write('a.tpl', Buffer.from('again'));
  expect(await store.list()).toEqual(['a.tpl', 'b.tpl']);
  expect((await store.read('a.tpl')).toString()).toBe('again');
  await store.delete('b.tpl');
  await expect(store.delete('b.tpl')).rejects.toThrow('Template "b.tpl" not found');
  const template = { when: ['start'], create_only: true, template: 'a.tpl', properties: { k: 'v' } };
  const metadata = {
    architecture: 'x86_64',
    creation_date: 5,
    expiry_date: 0,
    properties: { os: 'x' },
    templates: { '/etc/x': template },
  };
  await store.setMetadata(metadata);
  expect(await store.metadata()).toEqual(metadata);
  expect([readdirSync(dir).sort(), readdirSync(join(dir, 'templates'))]).toEqual([
    ['metadata.yaml', 'templates'],
    ['a.tpl'],
  ]);
});

test('what an image has in the place of a file is not read', async () => {
  mkdirSync(join(dir, 'templates'));
  execFileSync('mkfifo', [join(dir, 'templates/x'), join(dir, 'metadata.yaml')]);
  await expect(store.read('x')).rejects.toMatchObject({ code: 'not-found' });
  expect(await store.text()).toBeUndefined();
});

test('links of an image are not followed', async () => {
  const theirs = join(dir, 'theirs');
  mkdirSync(theirs);
  writeFileSync(join(theirs, 'secret'), 'secret');
  mkdirSync(join(dir, 'templates'));
  symlinkSync(join(theirs, 'secret'), join(dir, 'templates/x'));
  symlinkSync(join(theirs, 'secret'), join(dir, 'metadata.yaml'));
  await expect(store.read('x')).rejects.toMatchObject({ code: 'not-found' });
  expect(await store.text()).toBeUndefined();
  await store.write('x', Buffer.from('mine'));
  expect(readFileSync(join(theirs, 'secret'), 'utf8')).toBe('secret');
  rmSync(join(dir, 'templates'), { recursive: true });
  symlinkSync(theirs, join(dir, 'templates'));
  await expect(store.read('secret')).rejects.toMatchObject({ code: 'not-found' });
  await expect(store.write('new', Buffer.from('x'))).rejects.toThrow();
  expect(readdirSync(theirs)).toEqual(['secret']);
});

test.each(['', '.', '..', '../x', 'a/b', 'a\0b'])('%j is no name', async (name) => {
  await expect(store.write(name, Buffer.from('x'))).rejects.toThrow('Invalid template filename');
  await expect(store.read(name)).rejects.toThrow('Invalid template filename');
});

test('what an image says may be of any shape', async () => {
  writeFileSync(
    join(dir, 'metadata.yaml'),
    'architecture: 5\ntemplates: {/a: 7, /b: {when: start, properties: {n: 1}}}\n',
  );
  expect(await store.metadata()).toMatchObject({
    architecture: '',
    templates: {
      '/a': { when: [], create_only: false, template: '', properties: {} },
      '/b': { when: [], properties: { n: '1' } },
    },
  });
  writeFileSync(join(dir, 'metadata.yaml'), '{');
  await expect(store.metadata()).rejects.toThrow(/metadata.yaml is not YAML/);
});
