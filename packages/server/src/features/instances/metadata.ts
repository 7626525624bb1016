import { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Agent, InstanceMetadata } from '@lxd-ts/rpc';
import { empty, sync, type RequestContext, type Route } from '../../http/route.ts';
import { findInstance, instanceUrl, memberOf, requestor, type InstancesContext } from './context.ts';
import type { InstanceMetadataPut } from './requests.ts';
import { instanceSpec } from './spec.ts';

const maxBytes = 1024 * 1024;

/** A whole body, which is small. @throws LxdError `invalid` */
async function whole(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new LxdError('invalid', 'A template is at most 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function filled({ templates, ...rest }: InstanceMetadataPut): InstanceMetadata {
  return {
    architecture: rest.architecture ?? '',
    creation_date: rest.creation_date ?? 0,
    expiry_date: rest.expiry_date ?? 0,
    properties: rest.properties ?? {},
    templates: Object.fromEntries(
      Object.entries(templates ?? {}).map(([path, one]) => [
        path,
        {
          when: one.when ?? [],
          create_only: one.create_only ?? false,
          template: one.template ?? '',
          properties: one.properties ?? {},
        },
      ]),
    ),
  };
}

interface At {
  agent: Agent;
  spec: ReturnType<typeof instanceSpec>;
  tell(action: string, path?: string): void;
}

/** The metadata and templates that an image left with an instance: `/1.0/instances/{name}/metadata…`. */
export function metadataRoutes(context: InstancesContext): Route[] {
  const { services } = context;

  const at = ({ project, params, caller }: RequestContext): At => {
    const name = params['name'] ?? '';
    const { value } = findInstance(services, project, name);
    const member = memberOf(services, project, name);
    return {
      agent: services.agents.get(member),
      spec: instanceSpec(services, value, member),
      tell: (action, path) => {
        services.events.lifecycle({
          action: `instance-metadata-${action}`,
          source: `${instanceUrl(project, name)}/metadata${path === undefined ? '' : '/templates'}`,
          project,
          ...(path === undefined ? {} : { context: { path } }),
          ...requestor(caller),
        });
      },
    };
  };

  const pathOf = ({ query }: RequestContext): string => {
    const path = query.get('path') ?? '';
    if (path === '') throw new LxdError('invalid', 'missing path argument');
    return path;
  };

  const get: Route = {
    operationId: 'instanceMetadataGet',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      const metadata = await agent.metadata(spec, request);
      tell('retrieved');
      return sync(metadata, metadata);
    },
  };

  const put: Route<InstanceMetadataPut> = {
    operationId: 'instanceMetadataPut',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      await agent.setMetadata(spec, filled(request.body), request);
      tell('updated');
      return empty;
    },
  };

  const patch: Route<InstanceMetadataPut> = {
    operationId: 'instanceMetadataPatch',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      const now = await agent.metadata(spec, request);
      request.checkETag(now);
      const { body } = request;
      const after = filled({
        ...now,
        ...body,
        properties: { ...now.properties, ...body.properties },
        templates: { ...now.templates, ...body.templates },
      });
      await agent.setMetadata(spec, after, request);
      tell('updated');
      return empty;
    },
  };

  const templatesGet: Route = {
    operationId: 'instanceTemplatesGet',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      const path = request.query.get('path') ?? '';
      if (path === '') return sync(await agent.templates(spec, request));
      const content = Buffer.from(await agent.readTemplate(spec, path, request), 'base64');
      tell('template-retrieved', path);
      return {
        kind: 'stream',
        body: Readable.from([content]),
        length: content.length,
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Disposition': `inline;filename=${encodeURIComponent(path)}`,
        },
      };
    },
  };

  const templatesPost: Route = {
    operationId: 'instanceTemplatesPost',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      const path = pathOf(request);
      const content = await whole(request.stream);
      await agent.writeTemplate(spec, path, content.toString('base64'), request);
      tell('template-created', path);
      return empty;
    },
  };

  const templatesDelete: Route = {
    operationId: 'instanceTemplatesDelete',
    async handle(request) {
      const { agent, spec, tell } = at(request);
      const path = pathOf(request);
      await agent.deleteTemplate(spec, path, request);
      tell('template-deleted', path);
      return empty;
    },
  };

  return [get, put, patch, templatesGet, templatesPost, templatesDelete];
}
