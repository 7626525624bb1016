import type { Readable } from 'node:stream';
import type { Agent } from '@lxd-ts/rpc';
import { drain } from '../../http/drain.ts';
import type { Services } from '../../services.ts';
import { dropFile } from './files.ts';

/** A backup file on a member, and what it says of itself: anybody may have written that. */
export interface TakenIn {
  id: string;
  member: string;
  agent: Agent;
  index: Awaited<ReturnType<Agent['receiveBackup']>>['index'];
  /** When it is used up. Never throws. */
  forget(): Promise<void>;
}

/**
 * Reads a backup before the operation is answered, as clients expect who send all of it before they listen.
 * @param memberOf which is to have it; it may refuse
 * @param use starts the operation, which forgets the file at its end; where it does not come to that, it is forgotten here
 */
export async function takeInBackup<T>(
  services: Services,
  { memberOf, body }: { memberOf: () => string; body: Readable },
  signal: AbortSignal,
  use: (taken: TakenIn) => Promise<T>,
): Promise<T> {
  try {
    const member = memberOf();
    const id = services.uuid();
    const agent = services.agents.get(member);
    const { index } = await agent.receiveBackup(id, body, { signal });
    const forget = () => dropFile(services, { id, member, name: id, instance: '' });
    try {
      return await use({ id, member, agent, index, forget });
    } catch (error) {
      await forget();
      throw error;
    }
  } finally {
    await drain(body, signal);
  }
}
