import { LxdError } from '@lxd-ts/core';
import { isJoin } from './join.ts';
import type { Answers, Surroundings } from './answers.ts';
import type { PreseedCluster } from './preseed.ts';
import { freeBridgeName } from './answers.ts';

/** Asks one question; undefined when there is nobody to answer any more. */
export type Ask = (question: string) => Promise<string | undefined>;

/** Returns a sentence when the answer will not do. */
type Check = (answer: string) => string | undefined;

export interface Interview {
  answers: Answers;
  printPreseed: boolean;
}

export class Questions {
  readonly #ask: Ask;
  readonly #complain: (text: string) => void;

  constructor(ask: Ask, complain: (text: string) => void) {
    this.#ask = ask;
    this.#complain = complain;
  }

  async text(question: string, fallback: string, check: Check = () => undefined): Promise<string> {
    for (;;) {
      const answer = await this.#ask(`${question}${fallback === '' ? '' : ` [default=${fallback}]`}: `);
      if (answer === undefined)
        throw new LxdError('cancelled', 'The questions were not answered; nothing was changed');
      const value = answer === '' ? fallback : answer;
      const wrong = value === '' ? 'An answer is needed' : check(value);
      if (wrong === undefined) return value;
      this.#complain(`${wrong}\n`);
    }
  }

  async yes(question: string, fallback: boolean): Promise<boolean> {
    const known = /^(y|yes|n|no)$/i;
    const answer = await this.text(`${question} (yes/no)`, fallback ? 'yes' : 'no', (text) =>
      known.test(text) ? undefined : 'Please answer yes or no',
    );
    return /^y/i.test(answer);
  }
}

const oneOf =
  (choices: readonly string[]): Check =>
  (text) =>
    choices.includes(text) ? undefined : `Please choose one of ${choices.join(', ')}`;

const sizeInGiB: Check = (text) =>
  Number.parseInt(text, 10) >= 1 && /^\d+(GiB|GB)?$/.test(text)
    ? undefined
    : 'Please give a size of at least 1GiB';

const subnet: Check = (text) =>
  text === 'auto' || text === 'none' || /^[0-9a-f.:]+\/\d+$/i.test(text)
    ? undefined
    : 'Please give an address with a prefix (such as 10.1.2.1/24), "auto" or "none"';

const port: Check = (text) =>
  /^\d+$/.test(text) && Number(text) > 0 && Number(text) < 65536
    ? undefined
    : 'Please give a port from 1 to 65535';

async function askPool(
  questions: Questions,
  around: Surroundings,
): Promise<Pick<Answers, 'pool' | 'rootPool'>> {
  if (!(await questions.yes('Do you want to configure a new storage pool?', around.pools.length === 0))) {
    return { pool: undefined, rootPool: around.pools[0] };
  }
  const name = await questions.text(
    'Name of the new storage pool',
    around.pools.includes('default') ? '' : 'default',
    (text) => (around.pools.includes(text) ? `There is a storage pool "${text}" already` : undefined),
  );
  const preferred = around.drivers.includes('btrfs') ? 'btrfs' : 'dir';
  const driver = await questions.text(
    `Name of the storage backend to use (${around.drivers.join(', ')})`,
    preferred,
    oneOf(around.drivers),
  );
  const config: Record<string, string> = {};
  // These need nothing but a directory of their own.
  if (!['dir', 'overlay'].includes(driver)) {
    if (!(await questions.yes(`Create a new ${driver.toUpperCase()} pool?`, true))) {
      config['source'] = await questions.text(
        `Name of the existing ${driver.toUpperCase()} pool or dataset`,
        '',
      );
    } else if (
      await questions.yes(
        'Would you like to use an existing empty block device (e.g. a disk or partition)?',
        false,
      )
    ) {
      config['source'] = await questions.text('Path to the existing block device', '', (text) =>
        text.startsWith('/dev/') ? undefined : 'Please give a path under /dev',
      );
    } else {
      const size = await questions.text(
        'Size in GiB of the new loop device (1GiB minimum)',
        '30GiB',
        sizeInGiB,
      );
      config['size'] = `${Number.parseInt(size, 10)}GiB`;
    }
  }
  return { pool: { name, driver, config }, rootPool: name };
}

const kindOf = (name: string, around: Surroundings): 'managed' | 'bridge' | 'other' =>
  around.managedBridges.includes(name) ? 'managed' : around.isBridge(name) ? 'bridge' : 'other';

async function askNetwork(
  questions: Questions,
  around: Surroundings,
): Promise<Pick<Answers, 'bridge' | 'hostInterface'>> {
  if (
    !(await questions.yes(
      'Would you like to create a new local network bridge?',
      around.managedBridges.length === 0,
    ))
  ) {
    const [managed] = around.managedBridges;
    if (
      !(await questions.yes(
        'Would you like to use an existing bridge or host interface?',
        managed !== undefined,
      ))
    ) {
      return { bridge: undefined };
    }
    const name = await questions.text(
      'Name of the existing bridge or host interface',
      managed ?? '',
      (text) => (around.hasInterface(text) ? undefined : `There is no interface "${text}"`),
    );
    return { bridge: undefined, hostInterface: { name, kind: kindOf(name, around) } };
  }
  const name = await questions.text(
    'What should the new bridge be called?',
    freeBridgeName(around),
    (text) => (around.hasInterface(text) ? `There is an interface "${text}" already` : undefined),
  );
  const hint = '(CIDR subnet notation, "auto" or "none")';
  const ipv4 = await questions.text(`What IPv4 address should be used? ${hint}`, 'auto', subnet);
  const natted = async (version: string, address: string): Promise<boolean | undefined> =>
    address.includes('/')
      ? questions.yes(`Would you like LXD to NAT ${version} traffic on your bridge?`, true)
      : undefined;
  const ipv4Nat = await natted('IPv4', ipv4);
  const ipv6 = await questions.text(`What IPv6 address should be used? ${hint}`, 'auto', subnet);
  const ipv6Nat = await natted('IPv6', ipv6);
  return {
    bridge: {
      name,
      ipv4,
      ipv6,
      ...(ipv4Nat === undefined ? {} : { ipv4Nat }),
      ...(ipv6Nat === undefined ? {} : { ipv6Nat }),
    },
  };
}

async function askRemote(questions: Questions): Promise<Pick<Answers, 'network' | 'trustPassword'>> {
  if (!(await questions.yes('Would you like the server to be available over the network?', false))) {
    return { network: undefined, trustPassword: undefined };
  }
  const answer = await questions.text('Address to bind to (not including port)', 'all');
  const address = answer === 'all' ? '[::]' : answer;
  const number = Number(await questions.text('Port to bind to', '8443', port));
  const password = await questions.text('Trust password for new clients (none: leave it unset)', 'none');
  return { network: { address, port: number }, trustPassword: password === 'none' ? undefined : password };
}

const askPrint = (questions: Questions): Promise<boolean> =>
  questions.yes('Would you like a YAML preseed of these answers to be printed?', false);

/** One that joins gets all else from the cluster. */
const nothingElse = (cluster: PreseedCluster): Answers => ({
  pool: undefined,
  rootPool: undefined,
  bridge: undefined,
  network: undefined,
  trustPassword: undefined,
  cluster,
});

function clusterNetwork({
  server_address: text = '',
}: PreseedCluster): Pick<Answers, 'network' | 'trustPassword'> {
  const [, address = '', number = '8443'] = /^(.*):(\d+)$/.exec(text) ?? [];
  return { network: { address, port: Number(number) }, trustPassword: undefined };
}

/** The questions of `admin init`, each depending on what there is and on the answers before. */
export async function interview(
  ask: Ask,
  complain: (text: string) => void,
  around: Surroundings,
  askCluster: (questions: Questions) => Promise<PreseedCluster | undefined> = () =>
    Promise.resolve(undefined),
): Promise<Interview> {
  const questions = new Questions(ask, complain);
  const cluster = await askCluster(questions);
  if (cluster && isJoin(cluster))
    return { answers: nothingElse(cluster), printPreseed: await askPrint(questions) };
  const pool = await askPool(questions, around);
  const network = await askNetwork(questions, around);
  // A member is on the network anyhow.
  const remote = cluster ? clusterNetwork(cluster) : await askRemote(questions);
  const autoUpdateImages = await questions.yes(
    'Would you like stale cached images to be updated automatically?',
    true,
  );
  const printPreseed = await askPrint(questions);
  return {
    answers: { ...pool, ...network, ...remote, autoUpdateImages, ...(cluster ? { cluster } : {}) },
    printPreseed,
  };
}
