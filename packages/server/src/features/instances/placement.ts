import { LxdError, parseSize, type Config } from '@lxd-ts/core';
import type { MemberDescription } from '@lxd-ts/rpc';
import { explain, place, type MemberView } from '@lxd-ts/scheduler';
import type { MemberRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

/** How long what a member said of its CPUs and memory is good enough. */
const freshMs = 10_000;
const answerTimeoutMs = 5_000;

type Described = Promise<MemberDescription | undefined>;

/** What members said of themselves a short while ago. */
export class Descriptions {
  readonly #services: Services;
  readonly #known = new Map<string, { at: number; said: Described }>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** undefined: it does not answer. */
  get(member: string): Described {
    const now = this.#services.clock.now().getTime();
    const known = this.#known.get(member);
    if (known && now - known.at < freshMs) return known.said;
    const said = (async () => {
      try {
        return await this.#services.agents
          .get(member)
          .describe({ signal: AbortSignal.timeout(answerTimeoutMs) });
      } catch {
        this.#known.delete(member);
        return undefined;
      }
    })();
    this.#known.set(member, { at: now, said });
    return said;
  }
}

export interface PlacementRequest {
  /** Empty: any. */
  architecture: string;
  /** Expanded. */
  config: Config;
  /** `?target=`. */
  target?: string | undefined;
}

const sizeOf = (text: string | undefined): number | undefined =>
  text && !text.endsWith('%') ? parseSize(text) : undefined;

async function viewOf(
  descriptions: Descriptions,
  { name, architecture }: MemberRecord,
  online: boolean,
  instances: number,
): Promise<MemberView> {
  const said = online ? await descriptions.get(name) : undefined;
  return {
    name,
    state: said ? 'online' : 'offline',
    architecture,
    alsoRuns: said?.architectures ?? [],
    cpus: said?.cpus ?? 0,
    memoryBytes: said?.memoryBytes ?? 0,
    memoryFreeBytes: said?.memoryFreeBytes ?? 0,
    instances,
  };
}

/** The member a new instance goes to. @throws LxdError `not-found`, `unavailable` */
export async function choosePlacement(
  services: Services,
  descriptions: Descriptions,
  { architecture, config, target }: PlacementRequest,
): Promise<string> {
  const { records } = services;
  const members = records.list('members').map(({ value }) => value);
  const nodes = members.filter(({ roles }) => roles.includes('node'));
  if (target !== undefined && !nodes.some(({ name }) => name === target))
    throw new LxdError('not-found', 'Cluster member not found');
  const [only] = nodes;
  const online = services.agents.online();
  // One machine takes what it is given, as LXD does.
  if (only && nodes.length === 1 && online.includes(only.name)) {
    if (architecture && architecture !== only.architecture) {
      const said = await descriptions.get(only.name);
      if (!said?.architectures.includes(architecture))
        throw new LxdError('invalid', "Requested architecture isn't supported by this host");
    }
    return only.name;
  }
  const counts = new Map<string, number>();
  for (const { value } of records.list('placements'))
    counts.set(value.member, (counts.get(value.member) ?? 0) + 1);
  const views = await Promise.all(
    nodes.map((node) => viewOf(descriptions, node, online.includes(node.name), counts.get(node.name) ?? 0)),
  );

  const memoryBytes = sizeOf(config['limits.memory']);
  const cpus = /^\d+$/.test(config['limits.cpu'] ?? '') ? Number(config['limits.cpu']) : undefined;
  const wanted = architecture || (members.find(({ name }) => name === services.server) ?? only)?.architecture;
  const placed = place(
    {
      architecture: wanted ?? '',
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(cpus === undefined ? {} : { cpus }),
      ...(target === undefined ? {} : { among: [target] }),
    },
    { members: views },
  );
  if ('member' in placed) return placed.member;
  throw new LxdError('unavailable', explain(placed.reasons));
}
