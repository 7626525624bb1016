import { issue, openHubConnections, type Authority } from '@lxd-ts/rpc';
import { simulatedAgent } from './simulated-agent.ts';

/** Many agents in one process, each with connections of its own to every server. */
export interface AgentsArguments {
  names: string[];
  addresses: string[];
  authority: Authority;
}

/** Long enough to be killed meanwhile. */
const slowMs = 60_000;

async function connect({ names, addresses, authority }: AgentsArguments): Promise<void> {
  const agents = new Map<string, ReturnType<typeof simulatedAgent>>();
  for (const name of names) {
    const identity = await issue(authority, { commonName: name, role: 'member' }, new Date(), 1);
    const simulated = simulatedAgent(name);
    agents.set(name, simulated);
    openHubConnections(simulated.agent, identity, { onState: () => undefined }).dial(addresses);
  }
  process.on('message', (message) => {
    switch (message) {
      case 'instances':
      case 'running':
        process.send?.(Object.fromEntries([...agents].map(([name, agent]) => [name, [...agent[message]]])));
        break;
      case 'slow':
      case 'fast':
        for (const agent of agents.values()) agent.workMs = message === 'slow' ? slowMs : 0;
        process.send?.({});
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ connected: names.length });
}

void connect(JSON.parse(process.argv[2] ?? '') as AgentsArguments);
