import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError, type InstanceRef } from '@lxd-ts/core';
import type { InstanceDescription } from '@lxd-ts/rpc';
import type { Duty } from '../../cluster/leader.ts';
import type { Services } from '../../services.ts';
import { expandIn, rootDisk } from '../instances/expand.ts';
import { poolSpec } from '../instances/spec.ts';
import { descriptionOf } from './content.ts';

const secondMs = 1_000;
/** Of one member in one call. */
const batch = 25;
/** At once; more is left for the next look, so that a start with very many disturbs nobody. */
const maxPerLook = 200;
const writeMs = 60_000;
/** How long the end of an operation waits for it. */
const patienceMs = 3_000;
/** What could not be written, for want of space say, is tried again after this. */
const againMs = 60_000;
/** Without a look for so long this server did not lead, and may have missed something. */
const awayMs = 30_000;
/** Who does not lead forgets what the leader has seen, too. */
const keptMs = 60_000;

const keyOf = ({ project, name }: InstanceRef): string => `${project}/${name}`;

/**
 * Has members keep `backup.yaml` beside each instance's root in line with its records. The operation that changes an
 * instance has it written before it ends; all else, and what a crash cut off, the leader finds within a second.
 */
export class Descriptions implements Disposable {
  readonly #services: Services;
  /** Changed and not written: when they may be looked at. In the order in which they changed. */
  readonly #changed = new Map<string, number>();
  readonly #listeners: Disposable[];
  #lookedAt = -Infinity;
  /** Being written by the leader's looks. */
  readonly #writing = new Set<string>();

  constructor(services: Services) {
    this.#services = services;
    const { records } = services;
    this.#listeners = [
      records.onChange('instances', ([project = '', name = '']) => this.#mark({ project, name })),
      records.onChange('snapshots', ([project = '', name = '']) => this.#mark({ project, name })),
      records.onChange('profiles', ([project = '', profile = '']) => {
        for (const { value } of records.list('instances', project))
          if (value.profiles.includes(profile)) this.#mark(value);
      }),
    ];
  }

  #mark(ref: InstanceRef, at = 0): void {
    const key = keyOf(ref);
    this.#changed.delete(key);
    this.#changed.set(key, at || performance.now());
    if (performance.now() - this.#lookedAt < keptMs) return;
    for (const [old, since] of this.#changed) {
      if (since > performance.now() - keptMs) break;
      this.#changed.delete(old);
    }
  }

  /**
   * What an operation on these has changed. Never throws: what was not written is tried again.
   * @param since with all others of the project that changed since then, in this process' time
   */
  async settle(
    project: string,
    resources: Readonly<Record<string, readonly string[]>>,
    since = Infinity,
  ): Promise<void> {
    const words = new Set(
      Object.values(resources).flatMap((names) => names.flatMap((one) => one.split(/[/?]/))),
    );
    for (const [key, at] of this.#changed)
      if (at >= since && key.startsWith(`${project}/`)) words.add(key.slice(project.length + 1));
    const refs = [...words].map((name) => ({ project, name })).filter((ref) => this.#changed.has(keyOf(ref)));
    if (refs.length === 0) return;
    // Whoever has it to itself for long, say for a backup, keeps nobody waiting.
    const patience = new AbortController();
    const enough = sleep(patienceMs, undefined, { signal: patience.signal, ref: false }).catch(
      () => undefined,
    );
    await Promise.race([this.#write(refs), enough]);
    patience.abort();
  }

  async #write(refs: readonly InstanceRef[]): Promise<void> {
    const { agents, log } = this.#services;
    for (const ref of refs) this.#changed.delete(keyOf(ref));
    const byMember = new Map<string, InstanceDescription[]>();
    for (const { member, ...description } of refs.flatMap((ref) => this.#describe(ref)))
      byMember.set(member, [...(byMember.get(member) ?? []), description]);
    const later = (failed: readonly InstanceRef[]) => {
      for (const ref of failed) this.#mark(ref, performance.now() + againMs);
    };
    const call = async (member: string, descriptions: InstanceDescription[]) => {
      try {
        const signal = AbortSignal.timeout(writeMs);
        later(await agents.get(member).describeInstances(descriptions, { signal }));
      } catch (error) {
        later(descriptions);
        log.debug('descriptions of instances are written later', {
          member,
          error: toLxdError(error).message,
        });
      }
    };
    await Promise.all(
      [...byMember].flatMap(([member, all]) => {
        const calls: Promise<void>[] = [];
        for (let at = 0; at < all.length; at += batch) calls.push(call(member, all.slice(at, at + batch)));
        return calls;
      }),
    );
  }

  /** None where it is gone, or is in the making: then it is marked again. */
  #describe({ project, name }: InstanceRef): (InstanceDescription & { member: string })[] {
    const { records } = this.#services;
    const record = records.get('instances', project, name)?.value;
    const member = records.get('placements', project, name)?.value.member;
    if (!record || member === undefined || record.pending?.kind === 'create') return [];
    const root = rootDisk(expandIn(this.#services, project, record).devices)?.[1];
    const pool = records.get('pools', root?.['pool'] ?? '')?.value;
    if (!pool) return [];
    const content = descriptionOf(this.#services, record);
    return [{ project, name, member, pool: poolSpec(pool, member), content }];
  }

  async #look(): Promise<void> {
    const { records, agents } = this.#services;
    const now = performance.now();
    const wasAway = now - this.#lookedAt > awayMs;
    this.#lookedAt = now;
    if (wasAway) for (const { value } of records.list('instances')) this.#mark(value, 1);
    const due: InstanceRef[] = [];
    for (const [key, at] of this.#changed) {
      if (due.length + this.#writing.size >= maxPerLook) break;
      if (at > now || this.#writing.has(key)) continue;
      const [project = '', name = ''] = key.split('/');
      const member = records.get('placements', project, name)?.value.member;
      // One that is away keeps nobody waiting, and is not forgotten.
      if (member === undefined || agents.state(member) === 'online') due.push({ project, name });
    }
    for (const ref of due) this.#writing.add(keyOf(ref));
    try {
      await this.#write(due);
    } finally {
      for (const ref of due) this.#writing.delete(keyOf(ref));
    }
  }

  /** The leader's. */
  duty(): Duty {
    return {
      name: 'descriptions of instances',
      everyMs: secondMs,
      run: () => {
        // A member that takes its time keeps no other duty waiting.
        void this.#look().catch((error: unknown) =>
          this.#services.log.warn('descriptions of instances were not written', {
            error: toLxdError(error).message,
          }),
        );
        return Promise.resolve();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }
}
