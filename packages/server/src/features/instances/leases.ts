import { isTrue, toLxdError, type InstanceRef } from '@lxd-ts/core';
import type { Duty } from '../../cluster/leader.ts';
import { isUp, statusOf, type InstancesContext } from './context.ts';
import { startDelete } from './delete.ts';
import { expandIn } from './expand.ts';
import { startStateChange } from './state-change.ts';

const lookMs = 5_000;
const leaseKey = 'lease.expires_at';

/** Instances that somebody holds by moving `lease.expires_at` on: they are few, and are known without going through all. */
export class Leases implements Disposable {
  readonly #context: InstancesContext;
  readonly #held = new Map<string, InstanceRef>();
  readonly #listening: Disposable;

  constructor(context: InstancesContext) {
    this.#context = context;
    const { records } = context.services;
    const note = ([project = '', name = '']: string[], isHeld: boolean) => {
      const key = `${project}/${name}`;
      if (isHeld) this.#held.set(key, { project, name });
      else this.#held.delete(key);
    };
    for (const { value } of records.list('instances'))
      note([value.project, value.name], Boolean(value.config[leaseKey]));
    this.#listening = records.onChange('instances', (id, value) =>
      note(id, Boolean(value?.config[leaseKey])),
    );
  }

  /** @returns whether there was something to do */
  async #end({ project, name }: InstanceRef): Promise<boolean> {
    const { services } = this.#context;
    const { records, agents, clock } = services;
    const record = records.get('instances', project, name)?.value;
    const end = record?.config[leaseKey];
    // What is pending has its own end, after which it is looked at again.
    if (!end || new Date(end) > clock.now() || record.pending) return false;
    if (isTrue(expandIn(services, project, record).config['security.protection.delete'])) return false;
    const member = records.get('placements', project, name)?.value.member;
    if (member === undefined || agents.state(member) !== 'online') return false;
    if (isUp(statusOf(services, project, name)))
      await startStateChange(this.#context, project, name, { action: 'stop', force: true });
    else await startDelete(this.#context, project, name);
    return true;
  }

  /**
   * The leader's: whom nobody has heard of since is stopped, and deleted the next time round. Whatever is cut off in between
   * is begun again.
   */
  duty(): Duty {
    const { log } = this.#context.services;
    return {
      name: 'instances whose lease is over',
      everyMs: lookMs,
      run: async ({ signal }) => {
        for (const instance of [...this.#held.values()]) {
          if (signal.aborted) return;
          try {
            if (await this.#end(instance)) log.info('the lease of an instance is over', { ...instance });
          } catch (error) {
            const { message } = toLxdError(error);
            log.warn('an instance whose lease is over stays', { ...instance, error: message });
          }
        }
      },
    };
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
