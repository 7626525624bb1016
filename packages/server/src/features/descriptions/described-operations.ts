import type { Operations } from '@lxd-ts/operations';
import type { Descriptions } from './descriptions.ts';

/** They change what runs, not what is described: the leader writes the few keys that come of it. */
const passing = /^(Starting|Stopping|Restarting|Freezing|Unfreezing|Executing|Showing|Console)/;

/** What they make has a name that they do not tell. */
const naming = /^(Renaming|Moving|Migrating)/;

/** Operations that end when what they changed of instances is described beside their roots, too. */
export function describedOperations(operations: Operations, descriptions: () => Descriptions): Operations {
  return {
    get: (id) => operations.get(id),
    isRunning: (id) => operations.isRunning(id),
    isLive: (id) => operations.isLive(id),
    list: (project) => operations.list(project),
    wait: (id, timeoutMs, options) => operations.wait(id, timeoutMs, options),
    cancel: (id) => operations.cancel(id),
    socket: (id, secret) => operations.socket(id, secret),
    drain: (options) => operations.drain(options),
    onChange: (listener) => operations.onChange(listener),
    start: (request) =>
      operations.start(
        passing.test(request.description)
          ? request
          : {
              ...request,
              run: async (running) => {
                const since = naming.test(request.description) ? performance.now() : Infinity;
                const result = await request.run(running);
                await descriptions().settle(request.project, request.resources, since);
                return result;
              },
            },
      ),
  };
}
