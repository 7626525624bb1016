import { LxdError, toLxdError, type Config, type NetworkSpec, type PoolSpec } from '@lxd-ts/core';
import type { NetworkRecord, PoolRecord } from '@lxd-ts/state';
import type { Services } from '../../../services.ts';
import { effectTimeoutMs, partConfig } from '../members.ts';
import { arrearOf, catchUpThose, owe, schemaOf, type AnyDrivers } from './arrears.ts';
import type { PartKind } from './part-kind.ts';

/** So many members work on the same change at once. */
const together = 16;

/** Whether a failure is only that the member is not there. */
const isAway = (error: unknown): boolean => toLxdError(error).code === 'unavailable';

async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const failures: unknown[] = [];
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      if (failures.length > 0) return;
      await work(one).catch((error: unknown) => void failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: together }, next));
  if (failures.length > 0) throw failures[0];
}

/** The same change on every member that has a part; whoever is not there does it later. */
export function onMembers<R extends PoolRecord | NetworkRecord, S extends PoolSpec | NetworkSpec>(
  services: Services,
  drivers: AnyDrivers,
  kind: PartKind<R, S>,
) {
  const { agents, log } = services;

  /** Who is still behind has to catch up first. */
  const canFollow = (record: R, member: string): boolean =>
    agents.online().includes(member) && !arrearOf(services, member, kind.of, kind.id(record));

  const owed = (
    record: R,
    member: string,
    was: S | null,
    options: { gone?: boolean; signal: AbortSignal },
  ) => {
    const [project, name] = kind.id(record);
    return owe(services, { member, of: kind.of, project, name, was }, options);
  };

  /** Works where the member is there, else leaves `was` as a debt. */
  async function orOwe(
    record: R,
    member: string,
    was: S | null,
    work: () => Promise<void>,
    options: { gone?: boolean; signal: AbortSignal },
  ): Promise<boolean> {
    if (canFollow(record, member)) {
      try {
        await work();
        return true;
      } catch (error) {
        if (!isAway(error) || options.signal.aborted) throw error;
      }
    }
    await owed(record, member, was, options);
    return false;
  }

  return {
    /**
     * Makes it on the members; what the first one chooses (subnets) holds for the others.
     * @returns the record as it is then; `Created`
     * @throws LxdError the first failure, with what others made not yet taken back
     */
    async create(record: R, signal: AbortSignal): Promise<R> {
      let { config } = record;
      const memberConfig: Record<string, Config> = { ...record.memberConfig };
      const schema = schemaOf(drivers, record);
      const members = Object.keys(record.memberConfig);
      const first = members.find((member) => canFollow(record, member));
      if (first === undefined)
        throw new LxdError('unavailable', 'No member of the cluster is there to make it on');
      const makeOn = async (member: string): Promise<void> => {
        const spec = kind.spec({ ...record, config }, member);
        const made = await kind.create(agents.get(member), spec, { signal });
        const { shared, own } = partConfig(schema, made.config);
        config = { ...config, ...shared };
        memberConfig[member] = own;
      };
      await makeOn(first);
      await each(
        members.filter((member) => member !== first),
        async (member) => {
          await orOwe(record, member, null, () => makeOn(member), { signal });
        },
      );
      const { pending: _pending, ...rest } = record;
      return { ...(rest as R), status: 'Created', config, memberConfig };
    },

    /** @throws LxdError the first failure; members that had changed are changed back */
    async update(before: R, after: R, signal: AbortSignal): Promise<void> {
      const changed: string[] = [];
      try {
        await each(Object.keys(after.memberConfig), async (member) => {
          const [was, will] = [kind.spec(before, member), kind.spec(after, member)];
          const work = () => kind.update(agents.get(member), was, will, { signal });
          if (await orOwe(before, member, was, work, { signal })) changed.push(member);
        });
      } catch (error) {
        const back = AbortSignal.timeout(effectTimeoutMs);
        for (const member of changed) {
          const [was, will] = [kind.spec(after, member), kind.spec(before, member)];
          const work = () => kind.update(agents.get(member), was, will, { signal: back });
          await orOwe(before, member, was, work, { signal: back }).catch((failure: unknown) =>
            log.error(`a ${kind.noun} could not be changed back`, {
              member,
              name: before.name,
              error: toLxdError(failure).message,
            }),
          );
        }
        throw error;
      }
    },

    /** @throws LxdError the first failure; members that had deleted it have to make it again */
    async delete(record: R, signal: AbortSignal): Promise<void> {
      const deleted: string[] = [];
      try {
        await each(Object.keys(record.memberConfig), async (member) => {
          const spec = kind.spec(record, member);
          const work = () => kind.delete(agents.get(member), spec, { signal });
          if (await orOwe(record, member, spec, work, { gone: true, signal })) deleted.push(member);
        });
      } catch (error) {
        const back = AbortSignal.timeout(effectTimeoutMs);
        for (const member of deleted) await owed(record, member, null, { signal: back });
        throw error;
      }
    },

    /** Members that came back while it was changed follow at once. */
    async follow(record: R, signal: AbortSignal): Promise<void> {
      const only = { of: kind.of, id: kind.id(record) };
      try {
        await catchUpThose(services, drivers, Object.keys(record.memberConfig), only, signal);
      } catch (error) {
        // It is on record: the next time they connect.
        log.warn(`members could not follow a ${kind.noun} at once`, { error: toLxdError(error).message });
      }
    },
  };
}
