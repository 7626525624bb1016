import { LxdError } from '@lxd-ts/core';
import { compareScores, explain, judge, type MemberView, type Verdict } from '@lxd-ts/scheduler';
import type { ImageRecord } from '@lxd-ts/state';
import { sync, type Route } from '../../http/route.ts';
import type { Asked } from '../../cluster/member-views.ts';
import { findInstance, knownArchitecture, type InstancesContext } from '../instances/context.ts';
import type { Want } from '../instances/placement.ts';
import type { InstancesPost } from '../instances/requests.ts';
import { sourceImage } from '../instances/source.ts';

const memberView = (view: MemberView, { reasons, score }: Verdict, chosen: boolean) => ({
  server_name: view.name,
  chosen,
  possible: reasons.length === 0,
  reasons,
  status: view.state,
  failure_domain: view.failureDomain,
  groups: view.groups,
  instances: score.instances,
  labelled_in_failure_domain: score.labelledInDomain,
  labelled_here: score.labelledHere,
  has_image: view.hasImage,
  fullness: score.fullness / 10,
  cpus: view.cpus,
  memory: view.memory,
  disk: view.disk,
});

const targetText = ({ target }: Asked['request']): string =>
  !target ? '' : 'member' in target ? target.member : `@${target.group}`;

/** What the scheduler thinks of every member, and who is chosen. @param on where it is, when it is somewhere */
async function explanation(
  { placer }: InstancesContext,
  want: Want,
  on: string | undefined,
  signal: AbortSignal,
) {
  const asked = await placer.ask(want, signal);
  const snapshot = placer.views.snapshot(asked);
  const views = new Map(snapshot.members.map((view) => [view.name, view]));
  const verdicts = judge(asked.request, snapshot);
  const possible = verdicts.filter(({ reasons }) => reasons.length === 0);
  const [best] = possible;
  const here = possible.find(({ member }) => member === on);
  const location = on ?? best?.member ?? '';
  const reasons = Object.fromEntries(verdicts.map(({ member, reasons: [first = ''] }) => [member, first]));
  const now = best === undefined ? explain(reasons) : `${best.member} would be chosen`;
  const { request } = asked;
  return {
    instance: want.name,
    project: want.project,
    placed: on !== undefined,
    location,
    message:
      on === undefined
        ? now
        : here && best && compareScores(here.score, best.score) === 0
          ? `It is on ${on}; no other would be better`
          : `It is on ${on}; now ${now}`,
    request: {
      architecture: request.architecture,
      target: targetText(request),
      cpus: request.reserve.cpus,
      memory: request.reserve.memoryBytes,
      disk: request.reserve.disk,
      storage_pools: request.pools,
      networks: request.networks,
      labels: request.labels,
      affinity: request.affinity,
      anti_affinity: request.antiAffinity,
    },
    members: verdicts.flatMap((verdict) => {
      const view = views.get(verdict.member);
      return view ? [memberView(view, verdict, verdict.member === location)] : [];
    }),
  };
}

function wouldBe(
  { services }: InstancesContext,
  project: string,
  body: InstancesPost,
  target: string | null,
): Want {
  const source = body.source ?? {};
  const image: ImageRecord | undefined =
    source.type === 'image' ? sourceImage(services, project, source) : undefined;
  if (source.type === 'image' && !image)
    throw new LxdError('invalid', 'Image not provided for instance creation');
  return {
    project,
    name: body.name ?? '',
    config: body.config ?? {},
    devices: body.devices ?? {},
    profiles: body.profiles ?? (image && image.profiles.length > 0 ? image.profiles : ['default']),
    architecture: image?.architecture ?? knownArchitecture(body.architecture),
    fingerprint: image?.fingerprint,
    target: target ?? undefined,
  };
}

/** Why an instance is where it is, and where one would go. */
export function explainRoutes(context: InstancesContext): Route[] {
  const get: Route = {
    operationId: 'clusterExplainGet',
    async handle({ query, project, signal }) {
      const name = query.get('instance') ?? '';
      if (name === '') throw new LxdError('invalid', '"instance" must name an instance');
      const { value } = findInstance(context.services, project, name);
      const on = context.services.records.get('placements', project, name)?.value.member;
      const want = { ...value, fingerprint: value.config['volatile.base_image'] };
      return sync(await explanation(context, want, on, signal));
    },
  };
  const post: Route<InstancesPost> = {
    operationId: 'clusterExplainPost',
    handle: async ({ body, query, project, signal }) =>
      sync(
        await explanation(context, wouldBe(context, project, body, query.get('target')), undefined, signal),
      ),
  };
  return [get, post];
}
