import { headersOf, typeOf, wishOf } from './file-headers.ts';
import type { sftp } from '@lxd-ts/rpc';

const stat = (mode: number): sftp.FileStat => ({ size: 3, uid: 5, gid: 6, mode, mtime: 1_700_000_000 });

describe('what is told of a file', () => {
  it('is in LXD’s headers', () => {
    expect(headersOf(stat(0o100640), 'file')).toEqual({
      'X-LXD-uid': '5',
      'X-LXD-gid': '6',
      'X-LXD-mode': '0640',
      'X-LXD-type': 'file',
      'X-LXD-modified': '2023-11-14 22:13:20 +0000 UTC',
    });
    expect(headersOf(stat(0o041777), 'directory')['X-LXD-mode']).toBe('01777');
    expect(headersOf(stat(0o100004), 'file')['X-LXD-mode']).toBe('0004');
  });

  it('is told of files, directories and links alone', () => {
    expect([0o100644, 0o040755, 0o120777].map((mode) => typeOf(stat(mode), '/x'))).toEqual([
      'file',
      'directory',
      'symlink',
    ]);
    for (const mode of [0o060644, 0o020644, 0o010644, 0o140644])
      expect(() => typeOf(stat(mode), '/x')).toThrow('"/x" is a device');
  });
});

describe('what a client wants', () => {
  it('is a file that replaces what is there, where it says nothing', () => {
    expect(wishOf({})).toEqual({ type: 'file', append: false });
    expect(wishOf({ 'x-lxd-uid': '-1', 'x-lxd-gid': '' })).toEqual({ type: 'file', append: false });
  });

  it.each([
    ['0644', 0o644],
    ['04755', 0o4755],
    ['00600', 0o600],
    ['0', 0],
    ['420', 0o644],
    // Decimal, and of rights alone.
    ['4755', 0o223],
  ])('has mode %s', (text, mode) => {
    expect(wishOf({ 'x-lxd-mode': text }).mode).toBe(mode);
  });

  it.each([
    [{ 'x-lxd-mode': '0o644' }, 'X-LXD-mode'],
    [{ 'x-lxd-mode': '08' }, 'X-LXD-mode'],
    [{ 'x-lxd-mode': '-1' }, 'X-LXD-mode'],
    [{ 'x-lxd-uid': '0x1' }, 'X-LXD-uid'],
    [{ 'x-lxd-uid': '4294967295' }, 'X-LXD-uid'],
    [{ 'x-lxd-gid': '-2' }, 'X-LXD-gid'],
    [{ 'x-lxd-type': 'fifo' }, 'Bad file type: fifo'],
    [{ 'x-lxd-write': 'insert' }, 'Bad file write mode: insert'],
  ])('is refused: %j', (headers, named) => {
    expect(() => wishOf(headers)).toThrow(named);
  });
});
