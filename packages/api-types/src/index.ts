export type { ApiRoute } from './api-route.ts';
export type { OperationId, RequestBody, ResponseMetadata } from './operation-types.ts';
export { readRequest, validateRequest, type ReadRequest, type RequestProblem } from './read-request.ts';
export { routes } from './routes.gen.ts';
export type * from './schemas.gen.ts';
export type { components, operations, paths } from './types.gen.ts';
