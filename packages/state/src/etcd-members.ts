import { toLxdError } from '@lxd-ts/core';
import { answerOf, etcdClient, noAnswer, untilAnswered, type EtcdTarget } from './etcd-client.ts';

/** One etcd of the cluster, as the cluster sees it. */
export interface EtcdMember {
  id: string;
  /** Empty until it has started for the first time. */
  name: string;
  url: string;
  /** It follows, and has no vote yet. */
  learner: boolean;
}

interface WaitOptions {
  signal: AbortSignal;
}

/** The members of an etcd cluster. Every call is answered by the cluster's leader, or fails. */
export interface EtcdMembers {
  list(options: WaitOptions): Promise<EtcdMember[]>;
  /**
   * @returns all members, the new one included
   * @throws LxdError `unavailable` also while the others have not been in touch for five seconds
   */
  addLearner(url: string, options: WaitOptions): Promise<EtcdMember[]>;
  /** @returns false when it has not caught up yet */
  promote(id: string, options: WaitOptions): Promise<boolean>;
  /** One that is not there is removed already. */
  remove(id: string, options: WaitOptions): Promise<void>;
  close(): void;
}

interface RawMember {
  ID: string;
  name: string;
  peerURLs: string[];
  isLearner: boolean;
}

const memberOf = ({ ID, name, peerURLs: [url = ''], isLearner }: RawMember): EtcdMember => ({
  id: ID,
  name,
  url,
  learner: isLearner,
});

/** A change of membership waits for the cluster's agreement: longer than other calls. */
const callTimeoutMs = 7_000;

/** By the words etcd answers with: it has no codes of its own for these. */
const says = (error: unknown, words: string): boolean => toLxdError(error).message.includes(words);

export function openEtcdMembers(target: EtcdTarget): EtcdMembers {
  const client = etcdClient({ ...target, callTimeoutMs });
  const { cluster } = client.raw;
  const list = async ({ signal }: WaitOptions): Promise<EtcdMember[]> => {
    const { members } = await untilAnswered(client, signal, () => cluster.memberList({}));
    return members.map(memberOf);
  };
  return {
    list,
    addLearner: async (url, options) => {
      const known = (await list(options)).some((member) => member.url === url);
      if (!known) {
        await cluster.memberAdd({ peerURLs: [url], isLearner: true }).catch((error: unknown) => {
          throw answerOf(error) ?? noAnswer(error);
        });
      }
      return list(options);
    },
    promote: async (id, options) => {
      try {
        await cluster.memberPromote({ ID: id });
        return true;
      } catch (error) {
        // The call may have been applied although its answer was lost.
        const now = (await list(options)).find((member) => member.id === id);
        if (now && !now.learner) return true;
        if (now && says(error, 'in sync')) return false;
        throw error;
      }
    },
    remove: async (id, options) => {
      try {
        await cluster.memberRemove({ ID: id });
      } catch (error) {
        if ((await list(options)).some((member) => member.id === id)) throw error;
      }
    },
    close: () => client.raw.close(),
  };
}

/** Has the cluster know this etcd's own URL, if it does not: it may have been alone before. */
export async function announcePeer(target: EtcdTarget, url: string, signal: AbortSignal): Promise<void> {
  const client = etcdClient({ ...target, callTimeoutMs });
  try {
    const { header } = await untilAnswered(client, signal, () => client.raw.maintenance.status());
    const { members } = await untilAnswered(client, signal, () => client.raw.cluster.memberList({}));
    const own = members.find(({ ID }) => ID === header.member_id);
    if (!own || own.peerURLs.join() === url) return;
    await untilAnswered(client, signal, () =>
      client.raw.cluster.memberUpdate({ ID: own.ID, peerURLs: [url] }),
    );
  } finally {
    client.raw.close();
  }
}
