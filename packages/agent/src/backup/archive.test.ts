import { compressorOf, packing, unpacking } from './archive.ts';

describe('packing', () => {
  it('gives each tree its name in the archive, whatever its path has in it', () => {
    const argv = packing('/out', compressorOf('gzip'), [
      { path: '/pool/a.b,c', as: 'backup/container', without: ['backup.yaml'] },
      { path: '/tmp/x', as: 'backup/index.yaml' },
    ]);
    expect(argv).toEqual(
      expect.arrayContaining([
        '--gzip',
        '--transform=flags=rhS;s,^/pool/a\\.b\\,c\\(/\\|$\\),backup/container\\1,',
        '--exclude=/pool/a.b,c/backup.yaml',
      ]),
    );
    expect(argv.slice(argv.indexOf('--'))).toEqual(['--', '/pool/a.b,c', '/tmp/x']);
  });

  it.each(['', 'rm -rf', 'constructor', 'gzip -1'])('knows no algorithm "%s"', (algorithm) => {
    expect(() => compressorOf(algorithm)).toThrow('use one of none, gzip');
  });
});

describe('unpacking', () => {
  it('takes away what the tree is called in the archive, also of the tree itself', () => {
    expect(unpacking('/in', [], 'backup/snapshots/s0', '/to')).toEqual(
      expect.arrayContaining([
        '--transform=flags=rhS;s,^backup/snapshots/s0\\(/\\|$\\),.\\1,',
        '--directory=/to',
        'backup/snapshots/s0',
      ]),
    );
  });
});
