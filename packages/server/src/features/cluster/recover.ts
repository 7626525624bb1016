import { toLxdError } from '@lxd-ts/core';
import { finishRename } from './change-name.ts';
import { holding } from './context.ts';
import { resumeEvacuations, type EvacuationContext } from './evacuate.ts';
import { finishRemoval } from './remove-member.ts';
import { forgetTokens } from '../shared/token-life.ts';

/** Finishes what these servers left half done with members; what cannot be reached stays for the next time. */
export async function recoverMembers(
  context: EvacuationContext,
  servers: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { services, tokens } = context;
  await forgetTokens(services.records, 'joinTokens', servers, (id) => tokens.has(id), signal);
  for (const { name } of services.records.list('members').map(({ value }) => value)) {
    // What was looked at before the last one was put right is old.
    const value = services.records.get('members', name)?.value;
    const pending = value?.pending;
    if (!value || !pending || !servers.includes(pending.server)) continue;
    if (context.inHand.has(name)) continue;
    try {
      if (pending.kind === 'delete')
        await holding(context, name, () => finishRemoval(context, value, signal));
      else if (pending.kind === 'rename')
        await holding(context, name, () => finishRename(context, value, signal));
    } catch (error) {
      services.log.warn(`recovery of a member from an unfinished ${pending.kind} failed`, {
        member: name,
        error: toLxdError(error).message,
      });
    }
  }
  await resumeEvacuations(context, servers);
}
