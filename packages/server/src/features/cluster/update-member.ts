import { LxdError, toLxdError, validators, findKey, type Config, type ConfigSchema } from '@lxd-ts/core';
import type { MemberRecord, MemberRole } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import {
  findMember,
  maxAttempts,
  memberUrl,
  mustBeClustered,
  recordTimeoutMs,
  tell,
  type ClusterContext,
} from './context.ts';
import { givenRoles } from './member-view.ts';

/** What can be said of a member; what is undefined stays. */
export interface MemberChange {
  roles?: string[] | undefined;
  failure_domain?: string | undefined;
  description?: string | undefined;
  config?: Config | undefined;
  groups?: string[] | undefined;
}

const schema: ConfigSchema = {
  'scheduler.instance': {
    check: validators.oneOf('all', 'group', 'manual'),
    description:
      'Which instances are placed on it: `all`, only those that ask for one of its groups, or for it',
    default: 'all',
  },
  'user.*': { check: validators.any, description: 'Free for the user' },
};

const automatic = ['database', 'database-leader', 'database-standby'];

/** @throws LxdError in LXD's words */
function newRoles(record: MemberRecord, roles: readonly string[]): MemberRole[] {
  const own = record.roles.filter((role) => !givenRoles.includes(role));
  const has = own.includes('control-plane');
  if (has && !roles.includes('database'))
    throw new LxdError('invalid', 'The "database" role cannot be dropped at this time');
  if (!has && roles.includes('database'))
    throw new LxdError('invalid', 'The "database" role cannot be added at this time');
  const wrong = roles.find(
    (role) => !automatic.includes(role) && !givenRoles.some((given) => given === role),
  );
  if (wrong !== undefined) throw new LxdError('internal', `Update roles: Invalid cluster role "${wrong}"`);
  return [...own, ...givenRoles.filter((role) => roles.includes(role))];
}

function checkConfig(config: Config): void {
  for (const [key, value] of Object.entries(config)) {
    const found = findKey(schema, key);
    if (!found) throw new LxdError('internal', `Invalid cluster configuration key "${key}"`);
    if (value !== '' && found.check(value) !== undefined)
      throw new LxdError('internal', `Invalid cluster configuration key "${key}" value`);
  }
}

/** @throws LxdError in LXD's words */
function changed({ services }: ClusterContext, record: MemberRecord, change: MemberChange): MemberRecord {
  const { records } = services;
  const config = change.config ?? record.config;
  const groups = [...new Set(change.groups ?? record.groups)].sort();
  const roles = change.roles ? newRoles(record, change.roles) : record.roles;
  checkConfig(config);
  if (groups.length === 0)
    throw new LxdError('invalid', 'Cluster members need to belong to at least one group');
  const failureDomain = change.failure_domain ?? record.failureDomain;
  if (failureDomain === '')
    throw new LxdError('internal', "Update failure domain: Failure domain name can't be empty");
  const unknown = groups.find((name) => name !== 'default' && !records.get('groups', name));
  if (unknown !== undefined)
    throw new LxdError(
      'not-found',
      'Update cluster groups: Failed to add member to cluster group: Failed to get cluster group ID: Cluster group not found',
    );
  return {
    ...record,
    roles,
    failureDomain,
    groups,
    description: change.description ?? record.description,
    config: Object.fromEntries(Object.entries(config).filter(([, value]) => value !== '')),
  };
}

/**
 * Changes what can be said of a member.
 * @param options.revision the record's, when the caller said which one it means
 * @throws LxdError
 */
export async function updateMember(
  context: ClusterContext,
  name: string,
  change: (record: MemberRecord) => MemberChange,
  { caller, revision }: { caller: Caller; revision?: number | undefined },
): Promise<void> {
  mustBeClustered(context);
  const { services } = context;
  const signal = AbortSignal.timeout(recordTimeoutMs);
  for (let attempt = 0; ; attempt++) {
    const found = findMember(services, name);
    const after = changed(context, found.value, change(found.value));
    const transaction = services.records
      .transaction()
      .update('members', [name], revision ?? found.revision, after);
    // A group that is deleted meanwhile must not come back by us.
    for (const group of after.groups) {
      const record = services.records.get('groups', group);
      if (record) transaction.guard('groups', [group], record.revision);
    }
    try {
      await transaction.commit({ signal });
      break;
    } catch (error) {
      if (
        toLxdError(error).code !== 'precondition-failed' ||
        revision !== undefined ||
        attempt >= maxAttempts
      )
        throw error;
    }
  }
  tell(services, 'cluster-member-updated', memberUrl(name), caller);
}
