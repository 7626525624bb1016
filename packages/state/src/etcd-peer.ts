import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivate } from './write-private.ts';

/** How an etcd and the others of its cluster reach and know each other. */
export interface EtcdPeer {
  /** Unique in the cluster. */
  name: string;
  /** `https://HOST:PORT`; others reach it there, and it listens there. */
  url: string;
  /** PEM; the certificate is good for the URL's host, as server and as client. */
  authority: string;
  certificate: string;
  key: string;
}

/** The name that a peer's certificate must have: no member can be called so, as its own is not good for this. */
export const peerCommonName = 'etcd:peer';

const directory = 'peer';

/** Where etcd finds them, in its own directory. */
const files = { authority: 'authority.crt', certificate: 'peer.crt', key: 'peer.key' };

/** Writes what TLS needs into etcd's directory. */
export async function writePeerFiles(dir: string, peer: EtcdPeer): Promise<void> {
  await mkdir(join(dir, directory), { recursive: true, mode: 0o700 });
  for (const part of ['authority', 'certificate', 'key'] as const) {
    await writePrivate(join(dir, directory, files[part]), peer[part]);
  }
}

/** What etcd is told of its peers. @param join the cluster's members, name → URL, this one included; undefined: its first */
export function peerArguments(peer: EtcdPeer, join: Readonly<Record<string, string>> | undefined): string[] {
  const cluster = join ?? { [peer.name]: peer.url };
  const list = Object.entries(cluster).map(([name, url]) => `${name}=${url}`);
  return [
    `--name=${peer.name}`,
    `--listen-peer-urls=${peer.url}`,
    `--initial-advertise-peer-urls=${peer.url}`,
    `--initial-cluster=${list.join(',')}`,
    `--initial-cluster-state=${join ? 'existing' : 'new'}`,
    `--peer-trusted-ca-file=${directory}/${files.authority}`,
    `--peer-cert-file=${directory}/${files.certificate}`,
    `--peer-key-file=${directory}/${files.key}`,
    '--peer-client-cert-auth',
    `--peer-cert-allowed-cn=${peerCommonName}`,
    // One that was cut off does not disturb the others when it is back.
    '--pre-vote',
    '--strict-reconfig-check',
    // The same on all members, also on the first while it is alone.
    '--heartbeat-interval=100',
    '--election-timeout=500',
  ];
}

/** Of one that is alone for good: a single voter elects itself after one election timeout, 0.2 s instead of 2 s. */
export const aloneArguments = (peerSocket: string): string[] => [
  '--name=lxd-ts',
  `--listen-peer-urls=unix://${peerSocket}`,
  `--initial-advertise-peer-urls=unix://${peerSocket}`,
  `--initial-cluster=lxd-ts=unix://${peerSocket}`,
  '--heartbeat-interval=10',
  '--election-timeout=100',
];
