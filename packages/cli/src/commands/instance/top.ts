import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceFull } from '@lxd-ts/client';
import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat, type ListOutput } from '../../base/output.ts';
import { renderCompact } from '../../format/table.ts';
import { binarySize, decimalSize } from '../../format/units.ts';
import { loadsBetween, lookOf, orders, type Load, type Look, type Order } from './top-rows.ts';

const clear = '\x1b[H\x1b[2J';
const titleLines = 3;

const columns: readonly [title: string, cell: (load: Load) => string][] = [
  ['NAME', ({ name }) => name],
  ['CPU', ({ cpu }) => `${cpu.toFixed(1)}%`],
  ['MEMORY', ({ memoryBytes }) => binarySize(memoryBytes)],
  ['SWAP', ({ swapBytes }) => binarySize(swapBytes)],
  ['RECEIVED/S', ({ receivedBytes }) => decimalSize(Math.round(receivedBytes))],
  ['SENT/S', ({ sentBytes }) => decimalSize(Math.round(sentBytes))],
  ['PROCESSES', ({ processes }) => String(processes)],
];

function number(text: string | undefined, flag: string, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new LxdError('invalid', `--${flag} is "${text ?? ''}": give a number above 0`);
}

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: `Shows what running instances use, again and again: on a terminal until ctrl+c, elsewhere once.
CPU is in percent of one CPU.`,
  examples: [
    ['top', 'The busiest first'],
    ['top --sort memory --interval 5', 'The largest first, every five seconds'],
    ['top -f csv', 'What happens within the next two seconds, for a script'],
  ],
  flags: {
    sort: { kind: 'string', value: orders.join('|'), help: 'What comes first (default "cpu")' },
    interval: { kind: 'string', value: 'seconds', help: 'Time between two looks (default 2)' },
    format: formatFlag,
  },
  async run(shell, args, flags) {
    const { io } = shell;
    const format = parseFormat(flags.format);
    const order = orders.find((one) => one === (flags.sort ?? 'cpu'));
    if (!order) throw new LxdError('invalid', `--sort is "${flags.sort ?? ''}": one of ${orders.join(', ')}`);
    const intervalMs = number(flags.interval, 'interval', 2) * 1000;
    const { client } = await shell.onlyRemote(args);
    const look = async (): Promise<Look> => {
      const all = await client.get<InstanceFull[]>('/1.0/instances', { query: { recursion: 2 } });
      return lookOf(all, performance.now());
    };
    const listOf = (loads: readonly Load[]): ListOutput => {
      const clustered = loads.some(({ location }) => location !== '' && location !== 'none');
      const all = clustered ? [...columns, ['LOCATION', (load: Load) => load.location] as const] : columns;
      return {
        kind: 'list',
        format,
        header: all.map(([title]) => title),
        rows: loads.map((load) => all.map(([, cell]) => cell(load))),
        records: loads,
      };
    };
    if (!io.stdoutIsTty || flags.format !== undefined) {
      const before = await look();
      await sleep(intervalMs);
      return listOf(loadsBetween(before, await look(), order));
    }
    const stopped = new AbortController();
    const restore = io.onSignal('SIGINT', () => stopped.abort());
    try {
      for (let before = await look(); ;) {
        await sleep(Math.min(intervalMs, before.states.size > 0 ? intervalMs : 500), undefined, {
          signal: stopped.signal,
        });
        const after = await look();
        show(loadsBetween(before, after, order), order);
        before = after;
      }
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
      return undefined;
    } finally {
      restore();
    }

    function show(loads: readonly Load[], by: Order): void {
      const { header, rows } = listOf(loads);
      const fits = rows.slice(0, Math.max(1, (io.stdout.rows ?? 24) - titleLines));
      const hidden = rows.length - fits.length;
      const title = `${rows.length} running, by ${by}${hidden > 0 ? `; ${hidden} more` : ''}   (ctrl+c ends)`;
      io.stdout.write(`${clear}${title}\n${renderCompact(header, fits)}`);
    }
  },
});
