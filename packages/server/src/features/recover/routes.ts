import { sync, type Route } from '../../http/route.ts';
import { memberAsked } from '../shared/members.ts';
import { adopt } from './adopt.ts';
import { dependencyErrors, scan, validateView, type RecoverRequest, type ScanContext } from './scan.ts';

/** What `admin recover` and `lxd recover` ask. */
export function recoverRoutes(context: ScanContext): Route[] {
  const { services } = context;
  const validate: Route<RecoverRequest> = {
    operationId: 'internalRecoverValidatePost',
    async handle(request) {
      const member = memberAsked(services, request);
      return sync(validateView(services, await scan(context, request.body, member, request.signal)));
    },
  };
  const take: Route<RecoverRequest> = {
    operationId: 'internalRecoverImportPost',
    async handle(request) {
      const member = memberAsked(services, request);
      const scanned = await scan(context, request.body, member, request.signal);
      // As LXD: nothing is done, and what is missing is told.
      if (dependencyErrors(services, scanned).length > 0) return sync(validateView(services, scanned));
      await adopt(context, scanned, member);
      return sync({});
    },
  };
  return [validate, take];
}
