const quoted = (cell: string): string =>
  /[",\r\n]/.test(cell) || /^\s/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;

/** Rows without a header, as LXD's client writes them. */
export const toCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
