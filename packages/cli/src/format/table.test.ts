import fc from 'fast-check';
import { renderCompact, renderTable, textWidth } from './table.ts';

describe('renderTable', () => {
  it('draws a title and a line between rows', () => {
    expect(
      renderTable(
        ['NAME', 'STATE'],
        [
          ['c1', 'RUNNING'],
          ['web', ''],
        ],
      ),
    ).toBe(
      [
        '+------+---------+',
        '| NAME |  STATE  |',
        '+------+---------+',
        '| c1   | RUNNING |',
        '+------+---------+',
        '| web  |         |',
        '+------+---------+',
        '',
      ].join('\n'),
    );
  });

  it('gives a cell of two lines two lines', () => {
    expect(renderTable(['A', 'B'], [['x\ny', 'z']])).toContain('| x | z |\n| y |   |\n');
  });

  it('counts wide characters as two columns', () => {
    expect(textWidth('日本')).toBe(4);
    expect(renderTable(['A'], [['日本']])).toContain('| 日本 |');
  });

  it('lets no value paint on the terminal', () => {
    expect(renderTable(['A'], [['\u001b[31mred']])).toContain('[31mred');
    expect(renderTable(['A'], [['\u001b[31mred']])).not.toContain('\u001b');
  });

  it('fits any terminal that is wide enough for the titles', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.string({ unit: 'grapheme-ascii' }),
            fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
          ),
        ),
        fc.integer({ min: 30, max: 120 }),
        (rows, columns) => {
          for (const line of renderTable(['NAME', 'DESCRIPTION'], rows, columns).split('\n')) {
            expect(textWidth(line)).toBeLessThanOrEqual(columns);
          }
        },
      ),
    );
  });

  it('keeps every character when it breaks a cell', () => {
    const text = renderTable(['NAME', 'IPV6'], [['c1', 'fd42:f760:7f63:5d1d:216:3eff:feb2:c654 (eth0)']], 40);
    const cells = text
      .split('\n')
      .slice(3, -2)
      .map((line) => line.split('|')[2]?.trim() ?? '');
    expect(cells.join('').replaceAll(' ', '')).toBe('fd42:f760:7f63:5d1d:216:3eff:feb2:c654(eth0)');
  });
});

describe('renderCompact', () => {
  it('has no borders', () => {
    expect(renderCompact(['NAME', 'S'], [['longer', 'x']])).toBe('   NAME   S  \n  longer  x  \n');
  });
});
