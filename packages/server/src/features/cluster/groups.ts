import { LxdError, toLxdError } from '@lxd-ts/core';
import type { GroupRecord, MemberRecord, Transaction, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import {
  findMember,
  groupUrl,
  isShadow,
  maxAttempts,
  mustBeClustered,
  recordTimeoutMs,
  tell,
  type ClusterContext,
} from './context.ts';

export interface GroupsPost {
  name?: string;
  description?: string;
  members?: string[] | null;
}

/** What is undefined stays. */
export interface GroupChange {
  description?: string | undefined;
  members?: string[] | undefined;
}

/** Members changed in one transaction; a group may have more. */
const batch = 100;

const theDefault: GroupRecord = { name: 'default', description: 'Default cluster group' };

/** @throws LxdError `invalid`, worded as LXD words it */
function checkGroupName(name: string): void {
  const invalid = (message: string) => new LxdError('invalid', message);
  if (name === '') throw invalid('No name provided');
  if (name.includes('/')) throw invalid('Cluster group names may not contain slashes');
  if (/\s/.test(name)) throw invalid('Cluster group names may not contain spaces');
  if (name.startsWith('@')) throw invalid('Cluster group names may not begin with "@"');
}

const withGroup = (groups: readonly string[], name: string): string[] =>
  [...new Set([...groups, name])].sort();
const withoutGroup = (groups: readonly string[], name: string): string[] =>
  groups.filter((group) => group !== name);

/** Groups of members. Who is in a group is on record with the members. */
export function groupsService(context: ClusterContext) {
  const { services } = context;
  const { records } = services;

  const members = (): Versioned<MemberRecord>[] =>
    records.list('members').filter(({ value }) => !isShadow(value));

  /** Revision 0: the default one, of which nothing is on record. @throws LxdError `not-found` */
  function find(name: string): Versioned<GroupRecord> {
    mustBeClustered(context);
    const found = records.get('groups', name);
    if (found) return found;
    if (name === 'default') return { value: theDefault, revision: 0 };
    throw new LxdError('not-found', 'Cluster group not found');
  }

  const inGroup = (name: string): string[] =>
    members()
      .filter(({ value }) => value.groups.includes(name))
      .map(({ value }) => value.name)
      .sort();

  const view = ({ name, description }: GroupRecord): Record<string, unknown> => ({
    description,
    members: inGroup(name),
    name,
  });

  /**
   * Commits once for every so many members; the first time with the rest of the change. Each member is changed by
   * itself, so whoever is cut off has changed some, and may ask again.
   */
  async function commit(
    change: (transaction: Transaction) => void,
    plan: () => [Versioned<MemberRecord>, groups: string[]][],
  ): Promise<void> {
    const signal = AbortSignal.timeout(recordTimeoutMs);
    let first = true;
    for (let attempt = 0; ;) {
      const todo = plan();
      if (!first && todo.length === 0) return;
      const transaction = records.transaction();
      if (first) change(transaction);
      for (const [{ value, revision }, groups] of todo.slice(0, batch))
        transaction.update('members', [value.name], revision, { ...value, groups });
      try {
        await transaction.commit({ signal });
        first = false;
      } catch (error) {
        attempt += 1;
        if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
      }
    }
  }

  /** Members that have to come or go for `wanted` to be all of the group. @throws LxdError */
  function movesOf(name: string, wanted: readonly string[]): [Versioned<MemberRecord>, string[]][] {
    return members().flatMap((member): [Versioned<MemberRecord>, string[]][] => {
      const { groups } = member.value;
      const is = groups.includes(name);
      const should = wanted.includes(member.value.name);
      if (is === should) return [];
      const next = should ? withGroup(groups, name) : withoutGroup(groups, name);
      if (next.length === 0)
        throw new LxdError('invalid', 'Cluster members need to belong to at least one group');
      return [[member, next]];
    });
  }

  return {
    find,
    view,

    list(): GroupRecord[] {
      mustBeClustered(context);
      const all = records.list('groups').map(({ value }) => value);
      return all.some(({ name }) => name === 'default') ? all : [...all, theDefault];
    },

    /** @throws LxdError */
    async create(
      { name = '', description = '', members: wanted }: GroupsPost,
      caller: Caller,
    ): Promise<void> {
      mustBeClustered(context);
      checkGroupName(name);
      if (name === 'default' || records.get('groups', name))
        throw new LxdError('internal', 'This cluster group already exists');
      for (const member of wanted ?? []) findMember(services, member);
      await commit(
        (transaction) => transaction.create('groups', [name], { name, description }),
        () => movesOf(name, wanted ?? []),
      );
      tell(services, 'cluster-group-created', groupUrl(name), caller);
    },

    /** @param revision the record's, when the caller said which one it means */
    async update(
      name: string,
      { description, members: wanted }: GroupChange,
      { caller, revision }: { caller: Caller; revision?: number | undefined },
    ): Promise<void> {
      find(name);
      for (const member of wanted ?? []) {
        if (!records.get('members', member))
          throw new LxdError('not-found', 'Failed to get node info: Cluster member not found');
      }
      await commit(
        (transaction) => {
          const found = find(name);
          const after = { ...found.value, description: description ?? found.value.description };
          const guarded = revision ?? found.revision;
          if (guarded === 0) transaction.create('groups', [name], after);
          else transaction.update('groups', [name], guarded, after);
        },
        () => (wanted === undefined ? [] : movesOf(name, wanted)),
      );
      tell(services, 'cluster-group-updated', groupUrl(name), caller);
    },

    async rename(name: string, to: string, caller: Caller): Promise<void> {
      if (name === 'default') throw new LxdError('forbidden', 'The "default" group cannot be renamed');
      const { value, revision } = find(name);
      checkGroupName(to);
      if (to === 'default' || records.get('groups', to))
        throw new LxdError('internal', `Name "${to}" already in use`);
      const signal = AbortSignal.timeout(recordTimeoutMs);
      // Both are there until the last member has changed.
      await commit(
        (transaction) => transaction.create('groups', [to], { ...value, name: to }),
        () =>
          members()
            .filter(({ value: { groups } }) => groups.includes(name))
            .map((member) => [member, withGroup(withoutGroup(member.value.groups, name), to)]),
      );
      await records.transaction().delete('groups', [name], revision).commit({ signal });
      tell(services, 'cluster-group-renamed', groupUrl(to), caller, { old_name: name });
    },

    async delete(name: string, caller: Caller): Promise<void> {
      if (name === 'default')
        throw new LxdError('forbidden', "The 'default' cluster group cannot be deleted");
      const { revision } = find(name);
      if (inGroup(name).length > 0)
        throw new LxdError('internal', 'Only empty cluster groups can be removed');
      await commit(
        (transaction) => transaction.delete('groups', [name], revision),
        // Whoever came in a moment ago.
        () =>
          members()
            .filter(({ value: { groups } }) => groups.includes(name))
            .map((member) => {
              const left = withoutGroup(member.value.groups, name);
              return [member, left.length > 0 ? left : ['default']];
            }),
      );
      tell(services, 'cluster-group-deleted', groupUrl(name), caller);
    },
  };
}

export type GroupsService = ReturnType<typeof groupsService>;
