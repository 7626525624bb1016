import type { Readable, Writable } from 'node:stream';
import type { Host } from '@lxd-ts/host';
import type { MessageChannel } from '@lxd-ts/rpc';
import type { Agreement } from './negotiate.ts';

type Features = Agreement['rsync'];

/** Files that vanished while they were read are no failure: the source may be running. */
const allowedAtSource = [0, 24];

/** What both ends must be called with alike, as the peers call theirs. */
const shared = (features: Features): string[] => [
  ...(features.xattrs ? ['--xattrs', '--filter=-x security.selinux'] : []),
  ...(features.delete ? ['--delete'] : []),
  ...(features.compress ? ['--compress', '--compress-level=2'] : []),
  ...(features.hardLinks ? ['--hard-links'] : []),
  ...(features.acls ? ['--acls'] : []),
];

/**
 * rsync takes it for a remote shell: whatever it is told to run, it joins its own ends to the third descriptor. rsync waits
 * for it, so it ends when the other side has nothing more to say.
 */
const connector = "sh -c 'exec 4<&0; cat <&4 >&3 & cat <&3; kill $!; exit 0'";

export function senderArguments(
  features: Features,
  directory: string,
  bytesPerSecond: number | undefined,
): [string, ...string[]] {
  const limit = bytesPerSecond ? [`--bwlimit=${Math.max(1, Math.floor(bytesPerSecond / 1024))}`] : [];
  return [
    'rsync',
    '-ar',
    '--devices',
    '--numeric-ids',
    '--partial',
    '--sparse',
    ...shared(features),
    ...limit,
    // Else it leaves the connector with an output that refuses to wait, and programs do not know how to.
    '--blocking-io',
    ...['-e', connector],
    `${directory}/`,
    'peer:/',
  ];
}

export const receiverArguments = (features: Features, directory: string): [string, ...string[]] => [
  'rsync',
  '--server',
  '-vlogDtpre.iLsfx',
  '--numeric-ids',
  '--devices',
  '--partial',
  '--sparse',
  // It is this end that compares times, and to the nanosecond: what is written twice in a second is not the same.
  '--modify-window=-1',
  ...shared(features),
  '.',
  `${directory}/`,
];

const ignore = (): void => undefined;

async function fromPeer(channel: MessageChannel, into: Writable, onBytes: (count: number) => void) {
  await channel.receiveAll(into, onBytes);
  into.end();
}

async function toPeer(from: Readable, channel: MessageChannel, onBytes: (count: number) => void) {
  await channel.sendAll(from, { onBytes });
  await channel.sendEnd();
}

export interface RsyncOptions {
  signal: AbortSignal;
  onBytes: (count: number) => void;
  bytesPerSecond?: number | undefined;
}

/** One run: what is in `directory` now. */
export async function sendByRsync(
  host: Host,
  features: Features,
  directory: string,
  channel: MessageChannel,
  { signal, onBytes, bytesPerSecond }: RsyncOptions,
): Promise<void> {
  await using program = host.open(senderArguments(features, directory, bytesPerSecond), {
    signal,
    sockets: 1,
    allowed: allowedAtSource,
  });
  program.stdin.end();
  program.stdout.resume();
  const [socket] = program.extra;
  if (!socket) return;
  // Its helper holds the socket until it has no more input.
  program.ended.then(
    () => socket.end(),
    () => socket.destroy(),
  );
  const back = features.bidirectional ? fromPeer(channel, socket, ignore) : Promise.resolve();
  await Promise.all([program.ended, toPeer(socket, channel, onBytes), back]);
}

/** The other end of it. */
export async function receiveByRsync(
  host: Host,
  features: Features,
  directory: string,
  channel: MessageChannel,
  { signal, onBytes }: RsyncOptions,
): Promise<void> {
  await using program = host.open(receiverArguments(features, directory), { signal });
  const forth = fromPeer(channel, program.stdin, onBytes);
  const back = toPeer(program.stdout, channel, ignore);
  await Promise.all([program.ended, forth, back]);
}
