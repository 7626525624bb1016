import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server's place: its network and mounts. */
export interface Place {
  pid: number;
  address: string;
  /** A directory on its pool. */
  directory: string;
}

const enter = ({ pid }: Place, argv: readonly string[]): [string, string[]] => [
  'nsenter',
  ['-t', String(pid), '-n', '-m', '--', ...argv],
];

/** Both at once, where each belongs; returns the seconds until both have ended. */
async function both(from: [Place, string], to: [Place, string]): Promise<number> {
  const start = ([place, script]: [Place, string]) =>
    spawn(...enter(place, ['bash', '-o', 'pipefail', '-ec', script]), {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const ended = (child: ReturnType<typeof spawn>) =>
    new Promise<void>((resolve, reject) =>
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code ?? ''}`)))),
    );
  const sink = start(to);
  const over = ended(sink);
  await sleep(300);
  const begin = performance.now();
  await Promise.all([ended(start(from)), over]);
  return (performance.now() - begin) / 1000;
}

const buffer = '-b 262144';

/** The tools that migrations use, over the same link, plain and over TLS 1.3. */
export class BareTools {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench';
    const files = ['-keyout', join(dir, 'bare.key'), '-out', join(dir, 'bare.crt')];
    execFileSync('openssl', [...words.split(' '), ...files], { stdio: 'ignore' });
  }

  #listen(tls: boolean): string {
    return tls
      ? `OPENSSL-LISTEN:7710,reuseaddr,cert=${this.#dir}/bare.crt,key=${this.#dir}/bare.key,verify=0,openssl-min-proto-version=TLS1.3`
      : 'TCP-LISTEN:7710,reuseaddr';
  }

  #connect({ address }: Place, tls: boolean): string {
    return tls ? `OPENSSL:${address}:7710,verify=0,openssl-min-proto-version=TLS1.3` : `TCP:${address}:7710`;
  }

  /** Seconds for a subvolume. */
  async btrfs(from: Place, to: Place, volume: string, tls: boolean): Promise<number> {
    const snapshot = join(from.directory, 'bare');
    const run = (place: Place, ...argv: string[]) => execFileSync(...enter(place, argv), { stdio: 'pipe' });
    run(from, 'btrfs', '-q', 'subvolume', 'snapshot', '-r', volume, snapshot);
    try {
      return await both(
        [from, `btrfs -q send ${snapshot} | socat -u ${buffer} STDIN ${this.#connect(to, tls)}`],
        [to, `socat -u ${buffer} ${this.#listen(tls)} STDOUT | btrfs -q receive ${to.directory}`],
      );
    } finally {
      run(from, 'btrfs', '-q', 'subvolume', 'delete', snapshot);
      run(to, 'btrfs', '-q', 'subvolume', 'delete', join(to.directory, 'bare'));
    }
  }

  /** Seconds for a tree, by rsync's own protocol. */
  async rsync(from: Place, to: Place, tree: string, tls: boolean): Promise<number> {
    const target = join(to.directory, 'bare');
    const flags = '-aHAX --numeric-ids --delete';
    const shell = join(this.#dir, 'bare-shell');
    writeFileSync(shell, `#!/bin/sh\nexec socat ${buffer} STDIO ${this.#connect(to, tls)}\n`, {
      mode: 0o755,
    });
    try {
      return await both(
        [from, `rsync ${flags} -e ${shell} ${tree}/ peer:/`],
        [
          to,
          `mkdir ${target}; socat ${buffer} ${this.#listen(tls)} EXEC:"rsync --server -logDtpHAXre.iLsfx --numeric-ids --delete . ${target}/"`,
        ],
      );
    } finally {
      execFileSync(...enter(to, ['rm', '-rf', target]));
    }
  }
}
