import { routes as described, type ApiRoute } from '@lxd-ts/api-types';
import type { Route } from './route.ts';

export interface Match {
  api: ApiRoute;
  route: Route;
  params: Record<string, string>;
  /** How this request spells instances. */
  instancesPath: string;
}

interface Node {
  children: Map<string, Node>;
  /** A segment that may be anything, by this name. */
  parameter?: { name: string; node: Node };
  /** Anything from here on, slashes included. */
  rest?: { name: string; node: Node };
  methods: Map<string, { api: ApiRoute; route: Route }>;
}

const newNode = (): Node => ({ children: new Map(), methods: new Map() });

/** Finds the operation behind a method and a path: a walk along the segments, however many routes there are. */
export class Router {
  readonly #root = newNode();

  /** @throws Error when a route is not in the OpenAPI document, or one of the document has no route */
  constructor(routes: readonly Route[]) {
    const byId = new Map(routes.map((route) => [route.operationId, route]));
    for (const api of described) {
      const route = byId.get(api.operationId);
      if (!route) throw new Error(`no handler for operation ${api.operationId} of the OpenAPI document`);
      byId.delete(api.operationId);
      for (const path of [api.path, ...api.aliases]) this.#add(path, api, route);
    }
    const [unknown] = byId.keys();
    if (unknown !== undefined) throw new Error(`operation ${unknown} is not in the OpenAPI document`);
  }

  #add(path: string, api: ApiRoute, route: Route): void {
    let node = this.#root;
    for (const segment of path.split('/').filter(Boolean)) {
      const name = /^\{(.*)\}$/.exec(segment)?.[1];
      if (name === undefined) {
        const next = node.children.get(segment) ?? newNode();
        node.children.set(segment, next);
        node = next;
      } else if (api.slashes.includes(name)) {
        node.rest ??= { name, node: newNode() };
        node = node.rest.node;
      } else {
        node.parameter ??= { name, node: newNode() };
        node = node.parameter.node;
      }
    }
    node.methods.set(api.method, { api, route });
  }

  /** Undefined: no such path. `known`: there is one, for other methods. */
  find(method: string, path: string): Match | 'known' | undefined {
    if (path.length > 1 && path.endsWith('/')) return undefined;
    const params: Record<string, string> = {};
    const segments = path.split('/').slice(1);
    let node: Node | undefined = this.#root;
    for (const [i, segment] of segments.entries()) {
      if (segment === '' && segments.length === 1) break;
      const exact: Node | undefined = node.children.get(segment);
      if (exact) {
        node = exact;
      } else if (node.parameter && segment !== '') {
        params[node.parameter.name] = decodeURIComponent(segment);
        node = node.parameter.node;
      } else if (node.rest) {
        params[node.rest.name] = decodeURIComponent(segments.slice(i).join('/'));
        node = node.rest.node;
        break;
      } else {
        return undefined;
      }
    }
    if (node.methods.size === 0) return undefined;
    const found = node.methods.get(method);
    if (!found) return 'known';
    return {
      ...found,
      params,
      instancesPath: `1.0/${segments[1] === 'containers' ? 'containers' : 'instances'}`,
    };
  }
}
