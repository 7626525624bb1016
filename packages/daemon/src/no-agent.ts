import { LxdError } from '@lxd-ts/core';
import type { Agent } from '@lxd-ts/rpc';

/** In place of an agent on a machine that is no node: it only keeps connections open. */
export function noAgent(membership: Agent['membership']): Agent {
  const refuse = () => Promise.reject(new LxdError('unavailable', 'This member is not a node'));
  const own: Partial<Agent> = {
    membership,
    observe: async function* ({ signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  };
  return new Proxy(own, { get: (target, name) => target[name as keyof Agent] ?? refuse }) as Agent;
}
