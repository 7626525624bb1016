import type { MountEntry } from './host.ts';

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** /proc/PID/mountinfo, parsed. */
export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const before = left.split(' ');
      const [fsType = '', source = '', superOptions = ''] = right.split(' ');
      return {
        target: unescape(before[4] ?? ''),
        fsType,
        source: unescape(source),
        options: [...(before[5] ?? '').split(','), ...superOptions.split(',')],
      };
    });
}
