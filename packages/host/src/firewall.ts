import type { Host } from './host.ts';

/** The one table that is ours. */
export const firewallTable = 'inet lxd-ts';

/** Whoever of this daemon works on the table last: the table must not be deleted under one who adds to it. */
const turns = new WeakMap<Host, Promise<unknown>>();

function inTurn(host: Host, work: () => Promise<void>): Promise<void> {
  const turn = (turns.get(host) ?? Promise.resolve()).then(work);
  turns.set(
    host,
    turn.catch(() => undefined),
  );
  return turn;
}

/** Applies a ruleset that adds to the table, as one. */
export const applyRuleset = (host: Host, ruleset: string, signal: AbortSignal): Promise<void> =>
  inTurn(host, () => host.nft(ruleset, { signal }));

/** Removes these chains of the table where they are there, and the table with the last of all. */
export const removeChains = (
  host: Host,
  chains: readonly string[],
  signal: AbortSignal,
  family: 'inet' | 'bridge' = 'inet',
): Promise<void> =>
  inTurn(host, async () => {
    const listed = await host.run(['nft', 'list', 'table', family, 'lxd-ts'], { signal, allowFailure: true });
    if (listed.status !== 0) return;
    const present = [...listed.stdout.matchAll(/^\s*chain (\S+) \{/gm)].map((match) => match[1] ?? '');
    const ours = chains.filter((chain) => present.includes(chain));
    if (ours.length === 0) return;
    const lines = ours.map((chain) => `delete chain ${family} lxd-ts ${chain}`);
    const last = ours.length === present.length;
    await host.nft(`${(last ? [`delete table ${family} lxd-ts`] : lines).join('\n')}\n`, { signal });
  });
