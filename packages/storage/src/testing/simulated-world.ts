import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@lxd-ts/core';
import type { StorageDriver, StoragePool, VolumeRef } from '../driver.ts';
import { SimulatedDisks } from './simulated-disks.ts';
import type { StorageWorld } from './storage-suite.ts';

/** A place for a driver on a machine whose tools are simulated. */
export class SimulatedWorld<Tools> implements StorageWorld {
  readonly driver: StorageDriver;
  readonly disks = new SimulatedDisks();
  readonly tools: Tools;
  readonly host = this.disks.host;
  readonly dir = this.disks.dir;
  readonly pool;
  readonly directories = false;
  readonly simulated = true;
  /** Drivers that mount layers are none of these. */
  readonly overlayProgram = '';
  readonly quotaProgram = '';
  readonly wait = { signal: AbortSignal.timeout(60_000) };

  constructor(driver: StorageDriver, config: Config, plug: (disks: SimulatedDisks) => Tools) {
    this.driver = driver;
    this.tools = plug(this.disks);
    this.pool = { name: 'p1', driver: driver.type, config };
  }

  image(device: string): string {
    return this.disks.imageOf(device);
  }

  /** @param config instead of its own, as another record would have it; @param dir another daemon's */
  open(config: Config = this.pool.config, dir = this.dir): StoragePool {
    const context = { host: this.host, dir, overlayProgram: '', quotaProgram: '' };
    return this.driver.open({ ...this.pool, config }, context);
  }

  /** As a process that knows nothing of the last one. */
  reborn(config: Config): StoragePool {
    const context = { host: { ...this.host }, dir: this.dir, overlayProgram: '', quotaProgram: '' };
    return this.driver.open({ ...this.pool, config }, context);
  }

  async create(): Promise<{ pool: StoragePool; config: Config }> {
    const config = await this.open().create(this.wait);
    return { pool: this.open(config), config };
  }

  async write(pool: StoragePool, volume: VolumeRef, text: string): Promise<void> {
    await using use = await pool.useVolume(volume, this.wait);
    writeFileSync(join(use.path, 'text'), text);
  }

  async read(pool: StoragePool, volume: VolumeRef): Promise<string> {
    await using use = await pool.useVolume(volume, { ...this.wait, readonly: true });
    return readFileSync(join(use.path, 'text'), 'utf8');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disks[Symbol.asyncDispose]();
  }
}
