import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDescription, writeDescription } from './describe.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'describe-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const path = () => join(dir, 'backup.yaml');

it('is written for its owner alone, and again only when it says something else', async () => {
  await writeDescription(dir, 'one\n');
  const before = statSync(path());
  expect(before.mode & 0o777).toBe(0o400);
  await writeDescription(dir, 'one\n');
  expect(statSync(path()).ino).toBe(before.ino);
  await writeDescription(dir, 'two\n');
  expect(await readDescription(dir)).toBe('two\n');
  expect(readdirSync(dir)).toEqual(['backup.yaml']);
});

it.each(['link', 'directory', 'left'])(
  'takes the place of a %s that was there, and follows nothing',
  async (kind) => {
    const elsewhere = join(dir, 'elsewhere');
    writeFileSync(elsewhere, 'mine\n');
    if (kind === 'link') symlinkSync(elsewhere, path());
    if (kind === 'directory') mkdirSync(join(path(), 'deep'), { recursive: true });
    if (kind === 'left') symlinkSync(elsewhere, join(dir, '.partial-backup.yaml'));
    expect(await readDescription(dir)).toBeUndefined();
    await writeDescription(dir, 'new\n');
    expect(lstatSync(path()).isFile()).toBe(true);
    expect(await readDescription(dir)).toBe('new\n');
    expect(readFileSync(elsewhere, 'utf8')).toBe('mine\n');
    expect(readdirSync(dir).sort()).toEqual(['backup.yaml', 'elsewhere']);
  },
);

it('fails where the volume is gone', async () => {
  await expect(writeDescription(join(dir, 'gone'), 'x')).rejects.toThrow('ENOENT');
});
