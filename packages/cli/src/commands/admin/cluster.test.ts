import { askCluster } from './cluster-questions.ts';
import { joinRequest, withPort } from './join.ts';
import { toPreseed, type Surroundings } from './answers.ts';
import { interview, Questions } from './questions.ts';

const token = Buffer.from(
  JSON.stringify({ server_name: 'm2', fingerprint: 'ab', addresses: ['127.0.0.1:1'], secret: 's' }),
).toString('base64');

const peek = () => Promise.resolve({ certificate: 'PEM', fingerprint: 'ab12' });
const around = { hostName: 'host', address: '10.0.0.2' };
const fresh: Surroundings = {
  drivers: ['dir'],
  pools: [],
  managedBridges: [],
  hasInterface: () => false,
  isBridge: () => false,
};

function asking(answers: readonly string[]) {
  const left = [...answers];
  const questions: string[] = [];
  const ask = (question: string) => {
    questions.push(question);
    return Promise.resolve(left.shift());
  };
  return { ask, questions };
}

const answered = (answers: readonly string[]) =>
  askCluster(new Questions(asking(answers).ask, () => undefined), around, peek);

describe('the questions about a cluster', () => {
  it('are over when there is to be none', async () => {
    expect(await answered([''])).toBeUndefined();
  });

  it('begin one', async () => {
    expect(await answered(['yes', '', '', 'm1'])).toEqual({
      enabled: true,
      server_name: 'm1',
      server_address: '10.0.0.2:8443',
    });
  });

  it('join one by token, with what differs here', async () => {
    const source = 'storage-pool/default/source=/dev/sdb';
    expect(await answered(['yes', '10.0.0.3', 'yes', 'yes', token, 'yes', source, ''])).toEqual({
      enabled: true,
      server_address: '10.0.0.3:8443',
      cluster_token: token,
      member_config: [{ entity: 'storage-pool', name: 'default', key: 'source', value: '/dev/sdb' }],
    });
    await expect(answered(['yes', '', 'yes', token, 'no'])).rejects.toThrow('aborted');
  });

  it('join one by password', async () => {
    expect(await answered(['yes', '', 'yes', 'no', 'm3', '10.0.0.9', 'yes', 'pw', 'yes', ''])).toEqual({
      enabled: true,
      server_name: 'm3',
      server_address: '10.0.0.2:8443',
      cluster_address: '10.0.0.9:8443',
      cluster_certificate: 'PEM',
      cluster_password: 'pw',
      member_config: [],
    });
    await expect(answered(['yes', '', 'yes', 'no', 'm3', '10.0.0.9', 'no'])).rejects.toThrow('not accepted');
  });

  it('come before all others, and spare one that joins the rest', async () => {
    const { ask, questions } = asking(['yes', '', 'yes', token, 'yes', '', 'yes']);
    const { answers, printPreseed } = await interview(
      ask,
      () => undefined,
      fresh,
      (all) => askCluster(all, around, peek),
    );
    expect(questions).toHaveLength(7);
    expect(printPreseed).toBe(true);
    expect(toPreseed(answers)).toEqual({ cluster: answers.cluster });
  });

  it('put the address of one that begins a cluster into its configuration', async () => {
    const { ask } = asking(['yes', '10.0.0.2', '', 'm1', ...Array<string>(9).fill('')]);
    const { answers } = await interview(
      ask,
      () => undefined,
      fresh,
      (all) => askCluster(all, around, peek),
    );
    const { config, cluster } = toPreseed(answers);
    expect(config).toEqual({ 'core.https_address': '10.0.0.2:8443' });
    expect(cluster?.server_name).toBe('m1');
  });
});

describe('joining', () => {
  const cluster = {
    enabled: true,
    server_name: 'm2',
    cluster_address: '10.0.0.1',
    cluster_certificate: 'PEM',
    cluster_password: 'pw',
    member_config: [{ entity: 'network', name: 'br0', key: 'bridge.external_interfaces' }],
  };

  it('says what the server needs', async () => {
    expect(await joinRequest(cluster, '10.0.0.2:8443')).toEqual({
      server_name: 'm2',
      enabled: true,
      server_address: '10.0.0.2:8443',
      cluster_address: '10.0.0.1:8443',
      cluster_certificate: 'PEM',
      cluster_password: 'pw',
      member_config: [
        { entity: 'network', name: 'br0', key: 'bridge.external_interfaces', value: '', description: '' },
      ],
    });
  });

  it('names what is missing', async () => {
    await expect(joinRequest(cluster, undefined)).rejects.toThrow('server_address is needed');
    await expect(joinRequest({ ...cluster, cluster_certificate: '' }, 'a')).rejects.toThrow(
      'cluster_certificate',
    );
    await expect(joinRequest({ enabled: true, cluster_token: 'x' }, 'a')).rejects.toThrow('not a join token');
    await expect(
      joinRequest({ enabled: true, server_name: 'm9', cluster_token: token }, 'a'),
    ).rejects.toThrow('server_name must be "m2"');
    await expect(joinRequest({ enabled: true, cluster_token: token }, 'a')).rejects.toThrow('No member');
  });

  it.each([
    ['a', 'a:8443'],
    ['10.0.0.1:9', '10.0.0.1:9'],
    ['fd42::1', '[fd42::1]:8443'],
    ['[fd42::1]', '[fd42::1]:8443'],
    ['[fd42::1]:9', '[fd42::1]:9'],
  ])('%s is reached at %s', (text, expected) => {
    expect(withPort(text)).toBe(expected);
  });
});
