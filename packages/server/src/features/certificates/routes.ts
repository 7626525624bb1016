import { created, empty, started, sync, type RequestContext, type Route } from '../../http/route.ts';
import {
  certificateTag,
  certificateUrl,
  certificateView,
  type CertificatePut,
  type CertificatesPost,
  type CertificatesService,
} from './service.ts';

export function certificatesRoutes(service: CertificatesService): Route[] {
  const found = (request: RequestContext) => service.find(request.params['fingerprint'] ?? '');

  const list: Route = {
    operationId: 'certificatesGet',
    handle: ({ query }) => {
      const all = service.list();
      const shown =
        query.get('recursion') === '1'
          ? all.map(certificateView)
          : all.map(({ fingerprint }) => certificateUrl(fingerprint));
      return Promise.resolve(sync(shown));
    },
  };
  const add: Route<CertificatesPost> = {
    operationId: 'certificatesPost',
    untrusted: true,
    handle: async ({ body, caller }) =>
      body.token
        ? started(await service.token(body, caller))
        : created(certificateUrl(await service.add(body, caller))),
  };
  const get: Route = {
    operationId: 'certificateGet',
    handle: async (request) => {
      const { value } = found(request);
      return Promise.resolve(sync(certificateView(value), certificateTag(value)));
    },
  };
  const put: Route<CertificatePut> = {
    operationId: 'certificatePut',
    handle: async (request) => {
      const one = found(request);
      request.checkETag(certificateTag(one.value));
      await service.update(one, request.body, request.caller);
      return empty;
    },
  };
  const patch: Route<CertificatePut> = {
    operationId: 'certificatePatch',
    handle: async (request) => {
      const one = found(request);
      request.checkETag(certificateTag(one.value));
      const { name, type, restricted, projects } = one.value;
      await service.update(one, { name, type, restricted, projects, ...request.body }, request.caller);
      return empty;
    },
  };
  const remove: Route = {
    operationId: 'certificateDelete',
    handle: async (request) => {
      await service.delete(found(request), request.caller);
      return empty;
    },
  };
  return [list, add, get, put, patch, remove];
}
