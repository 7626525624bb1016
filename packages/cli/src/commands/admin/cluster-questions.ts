import { parseToken } from '../../remotes/token.ts';
import { withPort } from './join.ts';
import type { PreseedCluster, PreseedMemberConfig } from './preseed.ts';
import type { Questions } from './questions.ts';
import { LxdError } from '@lxd-ts/core';

/** Shows the certificate of a server, for somebody to look at. */
export type Peek = (url: string) => Promise<{ certificate: string; fingerprint: string }>;

export interface ClusterSurroundings {
  hostName: string;
  /** An address by which this machine is reached. */
  address: string;
}

const notEmpty = (text: string): string | undefined => (text === '' ? 'An answer is needed' : undefined);

async function askToken(questions: Questions): Promise<string | undefined> {
  const answer = await questions.text('Do you have a join token? (yes/no/[token])', 'no', (text) =>
    /^(y|yes|n|no)$/i.test(text) || parseToken(text)?.serverName ? undefined : 'That is not a join token',
  );
  if (/^no?$/i.test(answer)) return undefined;
  if (!/^y(es)?$/i.test(answer)) return answer;
  return questions.text('Please provide join token', '', (text) =>
    parseToken(text)?.serverName ? undefined : 'That is not a join token',
  );
}

async function askOwnConfig(questions: Questions): Promise<PreseedMemberConfig[]> {
  const pattern = /^(storage-pool|network)\/([^/]+)\/([^=]+)=(.*)$/;
  const found: PreseedMemberConfig[] = [];
  for (;;) {
    const answer = await questions.text(
      'An option that differs on this member, e.g. storage-pool/default/source=/dev/sdb',
      'none',
      (text) =>
        text === 'none' || pattern.test(text) ? undefined : 'Please write <kind>/<name>/<key>=<value>',
    );
    const [, entity = '', name = '', key = '', value = ''] = pattern.exec(answer) ?? [];
    if (entity === '') return found;
    found.push({ entity, name, key, value });
  }
}

async function askWithoutToken(
  questions: Questions,
  around: ClusterSurroundings,
  peek: Peek,
): Promise<Partial<PreseedCluster>> {
  const name = await questions.text(
    'What member name should be used to identify this server in the cluster?',
    around.hostName,
    notEmpty,
  );
  const address = withPort(
    await questions.text('IP address or FQDN of an existing cluster member (may include port)', '', notEmpty),
  );
  const { certificate, fingerprint } = await peek(`https://${address}`);
  if (!(await questions.yes(`Cluster fingerprint: ${fingerprint}\nIs this the correct fingerprint?`, false)))
    throw new LxdError('cancelled', 'The certificate of the cluster was not accepted');
  const password = await questions.text('Cluster trust password', '', notEmpty);
  return {
    server_name: name,
    cluster_address: address,
    cluster_certificate: certificate,
    cluster_password: password,
  };
}

/** Whether, and how, the server is to be a member of a cluster; undefined for one alone. */
export async function askCluster(
  questions: Questions,
  around: ClusterSurroundings,
  peek: Peek,
): Promise<PreseedCluster | undefined> {
  if (!(await questions.yes('Would you like to use LXD clustering?', false))) return undefined;
  const address = withPort(
    await questions.text(
      'What IP address or DNS name should be used to reach this server?',
      around.address,
      notEmpty,
    ),
  );
  if (!(await questions.yes('Are you joining an existing cluster?', false))) {
    const name = await questions.text(
      'What member name should be used to identify this server in the cluster?',
      around.hostName,
      notEmpty,
    );
    return { enabled: true, server_name: name, server_address: address };
  }
  const token = await askToken(questions);
  const how = token === undefined ? await askWithoutToken(questions, around, peek) : { cluster_token: token };
  if (!(await questions.yes('All existing data is lost when joining a cluster, continue?', false)))
    throw new LxdError('cancelled', 'User aborted configuration');
  return { enabled: true, server_address: address, ...how, member_config: await askOwnConfig(questions) };
}
