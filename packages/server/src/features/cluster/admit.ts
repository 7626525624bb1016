import { LxdError, toLxdError } from '@lxd-ts/core';
import type { MemberRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { maxAttempts } from './context.ts';
import type { MemberConfigKey } from './control.ts';
import { takePart } from './member-config.ts';
import { redeem } from './tokens.ts';

export interface Joiner {
  member: MemberRecord;
  /** Of its join token. */
  secret: string;
  memberConfig: readonly MemberConfigKey[];
}

/**
 * Takes a new member in: its token is used up, and it has its part of all pools and networks, in one transaction.
 * @throws LxdError `forbidden` without a good token, `conflict`
 */
export async function admit(
  services: Services,
  { member, secret, memberConfig }: Joiner,
  signal: AbortSignal,
): Promise<void> {
  const { records, clock } = services;
  for (let attempt = 0; ; attempt++) {
    if (records.get('members', member.name))
      throw new LxdError('conflict', `The cluster already has a member with name: ${member.name}`);
    const transaction = redeem(records, member.name, secret, clock.now());
    // Its architecture is known once its agent is connected.
    transaction.create('members', [member.name], member);
    takePart(services, transaction, member.name, memberConfig);
    try {
      await transaction.commit({ signal });
      services.agents.awaited(member.name);
      return;
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed' || attempt >= maxAttempts) throw error;
    }
  }
}
