import { LxdError } from '@lxd-ts/core';
import type { ExecResult, Host } from '@lxd-ts/host';
import type { WaitOptions } from '../driver.ts';

export interface LogicalVolume {
  name: string;
  /** Bytes. */
  size: number;
  active: boolean;
  readonly: boolean;
  tags: readonly string[];
  /** What a thin pool, or a thin volume, holds of its size; NaN where it is not known. */
  usedPercent: number;
  /** Sizes are multiples of this. */
  extent: number;
}

interface LvmReport {
  report: { lv?: Record<string, string>[]; vg?: Record<string, string>[] }[];
}

const words = (text: string | undefined, separator: string | RegExp): string[] =>
  (text ?? '')
    .split(separator)
    .map((word) => word.trim())
    .filter(Boolean);

/** A volume group, by the tools of LVM. */
export class VolumeGroup {
  readonly name: string;
  readonly #host: Host;

  constructor(host: Host, name: string) {
    this.#host = host;
    this.name = name;
  }

  run(
    argv: readonly [string, ...string[]],
    { signal }: WaitOptions,
    { allowFailure = false } = {},
  ): Promise<ExecResult> {
    // Else it complains of files that were left open, which are Node's own.
    return this.#host.run(argv, { signal, allowFailure, env: { LVM_SUPPRESS_FD_WARNINGS: '1' } });
  }

  /** undefined: there is no such volume group. */
  async #report(
    tool: 'lvs' | 'vgs',
    columns: string,
    options: WaitOptions,
  ): Promise<Record<string, string>[] | undefined> {
    const flags = ['--reportformat', 'json', '--units', 'b', '--nosuffix', '-o', columns];
    const argv = [tool, ...flags, '--', this.name] as const;
    const { status, stdout, stderr } = await this.run(argv, options, { allowFailure: true });
    if (status === 0) {
      const [first] = (JSON.parse(stdout) as LvmReport).report;
      return (tool === 'lvs' ? first?.lv : first?.vg) ?? [];
    }
    // What it says is all that tells this from a failure.
    if (/Volume group ".*" not found/.test(stderr)) return undefined;
    throw new LxdError('internal', `${tool} failed: ${stderr.trim()}`);
  }

  /** None where there is no such volume group. */
  async volumes(options: WaitOptions): Promise<LogicalVolume[]> {
    const columns = 'lv_name,lv_size,lv_attr,lv_tags,data_percent,vg_extent_size';
    return ((await this.#report('lvs', columns, options)) ?? []).map((row) => ({
      name: row['lv_name'] ?? '',
      size: Number(row['lv_size']),
      // Such as `Vwi-aotz-k`: kind, permissions, …, state.
      active: row['lv_attr']?.[4] === 'a',
      readonly: /^.r/i.test(row['lv_attr'] ?? ''),
      tags: words(row['lv_tags'], ','),
      usedPercent: parseFloat(row['data_percent'] ?? ''),
      extent: Number(row['vg_extent_size']),
    }));
  }

  /** @throws LxdError `not-found` */
  async volume(name: string, options: WaitOptions): Promise<LogicalVolume> {
    const found = (await this.volumes(options)).find((one) => one.name === name);
    if (!found) throw new LxdError('not-found', `There is no logical volume ${this.name}/${name}`);
    return found;
  }

  /** undefined: there is no such volume group. */
  async tags(options: WaitOptions): Promise<string[] | undefined> {
    const rows = await this.#report('vgs', 'vg_tags', options);
    return rows?.[0] && words(rows[0]['vg_tags'], ',');
  }

  /** Bytes. */
  async space(options: WaitOptions): Promise<{ used: number; total: number }> {
    const rows = await this.#report('vgs', 'vg_size,vg_free', options);
    const total = Number(rows?.[0]?.['vg_size'] ?? 0);
    return { total, used: total - Number(rows?.[0]?.['vg_free'] ?? 0) };
  }

  async tag(change: '--addtag' | '--deltag', tags: readonly string[], options: WaitOptions): Promise<void> {
    const changes = tags.flatMap((tag) => [change, tag]);
    await this.run(['vgchange', ...changes, '--', this.name], options);
  }

  /** With all that is in it, and what LVM has written to its devices. */
  async remove(options: WaitOptions): Promise<void> {
    const argv = ['vgs', '--noheadings', '-o', 'pv_name', '--', this.name] as const;
    const { stdout } = await this.run(argv, options);
    await this.run(['vgremove', '--yes', '--force', '--', this.name], options);
    for (const device of words(stdout, '\n')) await this.run(['pvremove', '--yes', '--', device], options);
  }

  device(volume: string): string {
    return `/dev/${this.name}/${volume}`;
  }

  async activate(volume: string, options: WaitOptions): Promise<string> {
    // Snapshots are left out of what is activated unless they are asked for by this.
    const flags = ['--activate', 'y', '--ignoreactivationskip'];
    await this.run(['lvchange', ...flags, '--', `${this.name}/${volume}`], options);
    return this.device(volume);
  }

  /** Gone, or not active: nothing done. */
  async deactivate(volume: string, options: WaitOptions): Promise<void> {
    const argv = ['lvchange', '--activate', 'n', '--', `${this.name}/${volume}`] as const;
    const { status, stderr } = await this.run(argv, options, { allowFailure: true });
    if (status !== 0 && !stderr.includes('Failed to find'))
      throw new LxdError('internal', `lvchange failed: ${stderr.trim()}`);
  }

  /** Its device is there meanwhile. */
  async during<T>(volume: string, work: (device: string) => Promise<T>, options: WaitOptions): Promise<T> {
    const device = await this.activate(volume, options);
    try {
      return await work(device);
    } finally {
      await this.deactivate(volume, { signal: AbortSignal.timeout(60_000) });
    }
  }
}
