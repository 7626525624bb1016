import { created, empty, started, type RequestContext, type Route } from '../../http/route.ts';
import { updateCertificate, type ClusterCertificatePut } from './certificate.ts';
import { changeName } from './change-name.ts';
import { memberUrl } from './context.ts';
import { startEvacuation, type EvacuationContext, type MemberStatePost } from './evacuate.ts';
import { removeMember } from './remove-member.ts';

const nameOf = ({ params }: RequestContext): string => params['name'] ?? '';

/** What is done with members. */
export function memberActionRoutes(context: EvacuationContext): Route[] {
  const { server, peers } = context.services;
  const rename: Route<{ server_name?: string }> = {
    operationId: 'clusterMemberPost',
    handle: async (request) => {
      const to = request.body.server_name ?? '';
      await changeName(context, nameOf(request), to, request.caller);
      return created(memberUrl(to));
    },
  };
  const remove: Route = {
    operationId: 'clusterMemberDelete',
    handle: async (request) => {
      const name = nameOf(request);
      // Nobody can tell the end of what goes with it.
      const [peer] = peers.reachable();
      if (name === server && peer) return { kind: 'forward', connect: peer.connect };
      const force = ['1', 'true'].includes(request.query.get('force') ?? '');
      await removeMember(context, name, { force, caller: request.caller });
      return empty;
    },
  };
  const state: Route<MemberStatePost> = {
    operationId: 'clusterMemberStatePost',
    handle: async (request) =>
      started(await startEvacuation(context, nameOf(request), request.body, request.caller)),
  };
  const certificate: Route<ClusterCertificatePut> = {
    operationId: 'clusterCertificatePut',
    handle: async ({ body, caller }) => {
      await updateCertificate(context, body, caller);
      return empty;
    },
  };
  return [rename, remove, state, certificate];
}
