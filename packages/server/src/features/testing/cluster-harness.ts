import type { LxdError } from '@lxd-ts/core';
import type { Agent } from '@lxd-ts/rpc';
import { standalone } from '../cluster/control.ts';
import { startEvacuation, type EvacuationContext } from '../cluster/evacuate.ts';
import { groupsService } from '../cluster/groups.ts';
import { updateMember } from '../cluster/update-member.ts';
import { ImagePuller } from '../images/pull.ts';
import { Busy } from '../instances/busy.ts';
import { Placer } from '../instances/placement.ts';
import { drivers, fakeAgent, harness, type FakeAgent } from './harness.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);

/** A cluster of three members that only remember. */
export async function clusterHarness() {
  const fakes: Record<string, FakeAgent> = { m1: fakeAgent(), m2: fakeAgent(), m3: fakeAgent() };
  const agents: Record<string, Agent> = Object.fromEntries(
    Object.entries(fakes).map(([name, { agent }]) => [name, agent]),
  );
  const h = await harness(agents);
  const { services, records } = h;
  const asked: string[] = [];
  const placer = new Placer(services);
  const context: EvacuationContext = {
    services,
    drivers,
    tokens: new Set(),
    inHand: new Set(),
    control: {
      ...standalone,
      clustered: () => true,
      renameMember: async (from, to) => {
        asked.push(`rename ${from} ${to}`);
        const agent = agents[from];
        Reflect.deleteProperty(agents, from);
        if (agent) agents[to] = agent;
        await records.modify('members', [to], (value) => ({ ...value, certificate: 'new' }), { signal });
      },
      removeMember: async (name, { force }) => Promise.resolve(void asked.push(`remove ${name} ${force}`)),
    },
    instances: { services, drivers, busy: new Busy(), placer, puller: new ImagePuller(services) },
    move: async ({ project, name }, target) => {
      asked.push(`move ${name} ${target}`);
      const { revision = 0 } = records.get('placements', project, name) ?? {};
      await records
        .transaction()
        .update('placements', [project, name], revision, { member: target })
        .commit({ signal });
    },
  };
  const member = (name: string) => records.get('members', name)?.value;
  const put = (name: string, change: object) =>
    updateMember(
      context,
      name,
      () => ({
        roles: ['database'],
        failure_domain: 'default',
        description: '',
        config: {},
        groups: ['default'],
        ...change,
      }),
      { caller },
    );
  async function instance(name: string, on: string, { running = false, config = {} } = {}) {
    const record = {
      ...{ project: 'default', name, type: 'container' as const, architecture: 'x86_64', description: '' },
      ...{
        ephemeral: false,
        stateful: false,
        devices: {},
        profiles: ['default'],
        createdAt: '',
        lastUsedAt: '',
      },
      config,
    };
    await records
      .transaction()
      .create('instances', ['default', name], record)
      .create('placements', ['default', name], { member: on })
      .put('statuses', ['default', name], { status: running ? 'Running' : 'Stopped', pid: 0 })
      .commit({ signal });
  }
  /** With what there is of it beside its own records: a snapshot, and a backup on the member. */
  async function withMore(name: string, on: string) {
    const of = { project: 'default', instance: name };
    const times = { createdAt: '', lastUsedAt: '', expiresAt: '' };
    const plain = { architecture: '', ephemeral: false, stateful: false, config: {}, devices: {} };
    const id = '00000000-0000-4000-8000-000000000000';
    await records
      .transaction()
      .create('snapshots', ['default', name, 's1'], { ...of, ...times, ...plain, name: 's1', profiles: [] })
      .create('backups', ['default', name, 'b1'], {
        ...{ ...of, name: 'b1', id, member: on, createdAt: '', expiresAt: '' },
        ...{ instanceOnly: false, optimized: false },
      })
      .commit({ signal });
  }
  const where = (name: string) => [
    records.get('placements', 'default', name)?.value.member,
    records.get('statuses', 'default', name)?.value.status,
  ];
  return {
    ...{ h, context, records, asked, member, put, instance, withMore, where },
    calls: (name: string) => fakes[name]?.calls ?? [],
    fail: (name: string, call: string, error: LxdError) => fakes[name]?.fail.set(call, error),
    leave: (name: string) => Reflect.deleteProperty(agents, name),
    groups: groupsService(context),
    evacuate: (name: string, action: string, mode = '') =>
      h.finish(startEvacuation(context, name, { action, mode }, caller)),
    async [Symbol.asyncDispose]() {
      placer[Symbol.dispose]();
      await h[Symbol.asyncDispose]();
    },
  };
}
