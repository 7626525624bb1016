import type { OperationRequest, Operations, OperationView } from '@lxd-ts/operations';
import type { Descriptions } from './descriptions.ts';

/** An operation, and when what it changes of instances is described beside their roots. */
export interface DescribedRequest extends OperationRequest {
  /**
   * Absent: of instances among `resources`, before it ends. `all`: also of others of the project, which it does not name
   * there. `later`: it changes what runs, not what is described; the few keys that come of it are the leader's to write.
   */
  described?: 'all' | 'later';
}

/** Operations that end when what they changed of instances is described beside their roots, too. */
export interface DescribedOperations extends Operations {
  start(request: DescribedRequest): Promise<OperationView>;
}

export const describedOperations = (
  operations: Operations,
  descriptions: () => Pick<Descriptions, 'settle'>,
): DescribedOperations => ({
  get: (id) => operations.get(id),
  isRunning: (id) => operations.isRunning(id),
  isLive: (id) => operations.isLive(id),
  list: (project) => operations.list(project),
  wait: (id, timeoutMs, options) => operations.wait(id, timeoutMs, options),
  cancel: (id) => operations.cancel(id),
  socket: (id, secret) => operations.socket(id, secret),
  drain: (options) => operations.drain(options),
  onChange: (listener) => operations.onChange(listener),
  start: ({ described, ...request }) =>
    operations.start(
      described === 'later'
        ? request
        : {
            ...request,
            run: async (running) => {
              const since = described === 'all' ? performance.now() : Infinity;
              const result = await request.run(running);
              await descriptions().settle(request.project, request.resources, since);
              return result;
            },
          },
    ),
});
