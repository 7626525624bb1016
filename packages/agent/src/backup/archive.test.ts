import { compressorOf, literalPattern, packing, unpacking } from './archive.ts';

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

  it('leaves nothing in that would be different another time or elsewhere', () => {
    const exclude = [`${literalPattern('/pool/a[1]*/rootfs')}/var/log/*`];
    const member = { path: '/pool/a[1]*/rootfs', as: 'rootfs' };
    const argv = packing('/out', compressorOf('gzip', true), [member], { epoch: 7, exclude });
    expect(argv).toEqual(
      expect.arrayContaining([
        '--use-compress-program=gzip -n',
        '--sort=name',
        '--mtime=@7',
        '--clamp-mtime',
        '--exclude=/pool/a\\[1]\\*/rootfs/var/log/*',
      ]),
    );
    expect(argv).not.toContain('--sparse');
    expect(argv.lastIndexOf('--no-wildcards')).toBeGreaterThan(argv.indexOf('--wildcards'));
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
