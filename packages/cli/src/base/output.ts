import { LxdError } from '@lxd-ts/core';
import { toCsv } from '../format/csv.ts';
import { renderCompact, renderTable } from '../format/table.ts';
import type { Io } from './io.ts';

export const formats = ['table', 'json', 'yaml', 'csv', 'compact'] as const;
export type Format = (typeof formats)[number];

/** A list: rows for table, csv and compact; the server's own records for json and yaml. */
export interface ListOutput {
  kind: 'list';
  format: Format;
  header: readonly string[];
  rows: readonly (readonly string[])[];
  records: unknown;
}

/** What a command's handler hands to the shell. */
export type Output =
  | ListOutput
  /** Said unless `--quiet`. */
  | { kind: 'notice'; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'yaml'; value: unknown }
  | { kind: 'json'; value: unknown }
  /** An exit status of its own (exec). */
  | { kind: 'exit'; code: number; error?: string };

export const notice = (text: string): Output => ({ kind: 'notice', text });
export const textOutput = (text: string): Output => ({ kind: 'text', text });
export const yamlOutput = (value: unknown): Output => ({ kind: 'yaml', value });

export const formatFlag = {
  kind: 'string',
  short: 'f',
  value: formats.join('|'),
  help: 'Output format (default "table")',
} as const;

export function parseFormat(text: string | undefined): Format {
  const format = formats.find((known) => known === (text ?? 'table'));
  if (!format) throw new LxdError('invalid', `Invalid format "${text ?? ''}"`);
  return format;
}

async function render(output: Output, io: Io): Promise<string> {
  switch (output.kind) {
    case 'exit':
      return '';
    case 'notice':
    case 'text':
      return `${output.text}\n`;
    case 'json':
      return `${JSON.stringify(output.value)}\n`;
    case 'yaml':
      return (await import('../format/yaml.ts')).toYaml(output.value);
    case 'list':
      switch (output.format) {
        case 'json':
          return `${JSON.stringify(output.records)}\n`;
        case 'yaml':
          return (await import('../format/yaml.ts')).toYaml(output.records);
        case 'csv':
          return toCsv(output.rows);
        case 'compact':
          return renderCompact(output.header, output.rows);
        case 'table':
          return renderTable(output.header, output.rows, io.stdoutIsTty ? io.stdout.columns : undefined);
      }
  }
}

/** Prints, and returns the exit status. */
export async function print(output: Output | undefined, io: Io, quiet: boolean): Promise<number> {
  if (!output) return 0;
  if (output.kind === 'exit') {
    if (output.error !== undefined) io.stderr.write(`Error: ${output.error}\n`);
    return output.code;
  }
  if (!(quiet && output.kind === 'notice')) io.stdout.write(await render(output, io));
  return 0;
}
