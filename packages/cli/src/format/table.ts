type Row = readonly string[];

/** Columns a character takes on a terminal: East Asian wide ones and emoji take two, combining marks none. */
function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(char)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff);
  return wide ? 2 : 1;
}

export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - textWidth(text)));

function centre(text: string, width: number): string {
  const space = Math.max(0, width - textWidth(text));
  const left = Math.floor(space / 2);
  return ' '.repeat(left) + text + ' '.repeat(space - left);
}

/** Control characters (but the newline, which starts a new line of the cell) would let a value paint on the terminal. */
// eslint-disable-next-line no-control-regex
const clean = (text: string): string => text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f]/g, '');

const linesOf = (cell: string): string[] => clean(cell).split('\n');

/** At spaces where there are any. */
function wrapLine(line: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const char of line) {
    if (textWidth(piece) + charWidth(char) > width && piece !== '') {
      const space = char === ' ' ? -1 : piece.lastIndexOf(' ');
      pieces.push(space > 0 ? piece.slice(0, space) : piece);
      piece = space > 0 ? piece.slice(space + 1) : '';
      if (char === ' ') continue;
    }
    piece += char;
  }
  pieces.push(piece);
  return pieces;
}

const naturalWidths = (header: Row, rows: readonly Row[]): number[] =>
  header.map((title, i) =>
    rows.reduce(
      (widest, row) => linesOf(row[i] ?? '').reduce((most, line) => Math.max(most, textWidth(line)), widest),
      textWidth(title),
    ),
  );

/** Takes from the widest columns first, never less than a column's title (or 8) needs. */
function shrink(widths: readonly number[], header: Row, available: number): number[] {
  const result = [...widths];
  const least = header.map((title) => Math.max(8, textWidth(title)));
  let excess = result.reduce((sum, width) => sum + width, 0) - available;
  for (; excess > 0; excess--) {
    let widest = -1;
    result.forEach((width, i) => {
      if (width > (least[i] ?? 0) && width > (result[widest] ?? 0)) widest = i;
    });
    if (widest < 0) break;
    result[widest] = (result[widest] ?? 0) - 1;
  }
  return result;
}

/**
 * A table with borders. Wider than `columns` (a terminal's width), long cells are broken over several lines; without
 * `columns` nothing is.
 */
export function renderTable(header: Row, rows: readonly Row[], columns?: number): string {
  const natural = naturalWidths(header, rows);
  const widths = columns === undefined ? natural : shrink(natural, header, columns - 3 * header.length - 1);
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const lines = (row: Row): string => {
    const cells = widths.map((width, i) => linesOf(row[i] ?? '').flatMap((line) => wrapLine(line, width)));
    const height = Math.max(1, ...cells.map((cell) => cell.length));
    let text = '';
    for (let y = 0; y < height; y++) {
      text += `|${widths.map((width, i) => ` ${padEnd(cells[i]?.[y] ?? '', width)} `).join('|')}|\n`;
    }
    return text;
  };
  const title = `|${header.map((name, i) => ` ${centre(name, widths[i] ?? 0)} `).join('|')}|\n`;
  return rule + title + rule + rows.map((row) => lines(row) + rule).join('');
}

/** Without borders: for small screens and for `awk`. */
export function renderCompact(header: Row, rows: readonly Row[]): string {
  const widths = naturalWidths(header, rows);
  const line = (cells: readonly string[]): string => `${cells.map((cell) => `  ${cell}`).join('')}  \n`;
  const body = rows.flatMap((row) => {
    const cells = widths.map((_, i) => linesOf(row[i] ?? ''));
    const height = Math.max(1, ...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, y) =>
      line(widths.map((width, i) => padEnd(cells[i]?.[y] ?? '', width))),
    );
  });
  return line(header.map((name, i) => centre(name, widths[i] ?? 0))) + body.join('');
}
