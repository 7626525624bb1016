import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import type { MemberRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { effectTimeoutMs } from '../shared/members.ts';
import { checkMemberName } from './names.ts';
import { findMember, holding, memberUrl, mustBeClustered, tell, type ClusterContext } from './context.ts';
import { renameMember } from './rename-member.ts';

const goodbyeMs = 10_000;
const lookMs = 20;

/** Until its connection under the former name has ended: it would be taken for that of whoever gets the name next. */
async function untilGone({ agents, server }: Services, name: string, signal: AbortSignal): Promise<void> {
  const end = performance.now() + goodbyeMs;
  while (name !== server && agents.online().includes(name) && performance.now() < end)
    await sleep(lookMs, undefined, { signal });
}

/** @param from has the intent on record; `to` may be there already */
async function finish(context: ClusterContext, from: string, to: string, signal: AbortSignal): Promise<void> {
  const { control, services } = context;
  const { records, server } = services;
  const record = records.get('members', from)?.value;
  // The member is let in under both names until its records are all under the new one.
  if (record && !records.get('members', to)) {
    const pending = { kind: 'rename' as const, operation: '', server, detail: { from } };
    await records
      .transaction()
      .create('members', [to], { ...record, name: to, pending })
      .commit({ signal });
  }
  if (!services.agents.online().includes(to)) await control.renameMember(from, to, { signal });
  await renameMember(records, from, to, { signal });
  await untilGone(services, from, signal);
  await records.modify('members', [to], ({ pending: _pending, ...rest }) => rest, { signal });
}

/** @throws LxdError `not-found`, `conflict`, `invalid` */
export async function changeName(
  context: ClusterContext,
  from: string,
  to: string,
  caller: Caller,
): Promise<void> {
  mustBeClustered(context);
  const { services } = context;
  const { records } = services;
  const { value, revision } = findMember(services, from);
  checkMemberName(to);
  if (to === from) return;
  if (records.get('members', to)) throw new LxdError('conflict', 'Conflict');
  if (value.pending)
    throw new LxdError('conflict', `Cluster member "${from}" is busy: ${value.pending.kind}`);
  await holding(context, from, () => holding(context, to, () => rename(context, { value, revision }, to)));
  tell(services, 'cluster-member-renamed', memberUrl(to), caller, { old_name: from });
}

/** Intent, effect, outcome. */
async function rename(context: ClusterContext, found: Versioned<MemberRecord>, to: string): Promise<void> {
  const { services, control } = context;
  const { records, server } = services;
  const { value, revision } = found;
  const from = value.name;
  services.agents.get(from);
  const signal = AbortSignal.timeout(effectTimeoutMs);
  // The server itself starts again under its new name.
  const by = from === server ? to : server;
  const pending = { kind: 'rename' as const, operation: '', server: by, detail: { to } };
  await records
    .transaction()
    .update('members', [from], revision, { ...value, pending })
    .commit({ signal });
  try {
    await finish(context, from, to, signal);
  } catch (error) {
    const back = AbortSignal.timeout(effectTimeoutMs);
    // Once its own record is under the new name it is only a little that is left; recovery does it.
    if (!records.get('members', from)) throw error;
    if (records.get('members', to)) {
      await control.renameMember(to, from, { signal: back }).catch(() => undefined);
      await renameMember(records, to, from, { signal: back, keep: true });
    }
    await records
      .transaction()
      .remove('members', [to])
      .put('members', [from], value)
      .commit({ signal: back });
    throw error;
  }
}

/** Goes on with a change of name that was cut off. */
export async function finishRename(
  context: ClusterContext,
  record: MemberRecord,
  signal: AbortSignal,
): Promise<void> {
  const { from, to } = record.pending?.detail ?? {};
  if (to !== undefined) await finish(context, record.name, to, signal);
  else if (from !== undefined && !context.services.records.get('members', from))
    await context.services.records.modify(
      'members',
      [record.name],
      ({ pending: _pending, ...rest }) => rest,
      { signal },
    );
}
