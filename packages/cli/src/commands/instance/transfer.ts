import { LxdError } from '@lxd-ts/core';
import { operationPath, relay, secretsOf, type Client, type Operation } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import { addressesOf, eachAddress } from '../../remotes/image-source.ts';

export const modes = ['pull', 'push', 'relay'] as const;
export type Mode = (typeof modes)[number];

export function parseMode(text: string | undefined): Mode {
  const mode = modes.find((known) => known === (text ?? 'pull'));
  if (!mode) throw new LxdError('invalid', `Invalid mode "${text ?? ''}": use pull, push or relay`);
  return mode;
}

export interface Transfer {
  source: { context: Context; instance: string; snapshot: string | undefined };
  target: { context: Context; query: Readonly<Record<string, string | undefined>> };
  mode: Mode;
  /** With its running state. */
  live: boolean;
  instanceOnly: boolean;
  allowInconsistent: boolean;
  /** Only what changed since the last copy. */
  refresh: boolean;
  /** The request that creates the copy, without its source. */
  body: Readonly<Record<string, unknown>> & { name: string; config: Readonly<Record<string, string>> };
}

/** An operation that must have been started. */
export function started(operation: Operation | undefined): Operation {
  if (!operation) throw new LxdError('internal', 'The server started no operation');
  return operation;
}

/** Gives an operation up that nobody will connect to; that it is gone already is fine. */
const abandon = async (client: Client, operation: Operation): Promise<void> => {
  await client.change('DELETE', operationPath(operation)).catch(() => undefined);
};

/** What each of two servers is asked for. */
export interface Carriage {
  source: Context;
  target: Context;
  mode: Mode;
  /** Of the progress. */
  label: string;
  /** The source's operation; with `to` it goes to the target's. */
  offer(to?: object): Promise<Operation>;
  /** The target's operation, by `mode`. */
  receive(how: object): Promise<Operation>;
}

/** Has two servers talk to each other, or carries between them (`relay`). */
export async function carryAcross({ source, target, mode, label, offer, receive }: Carriage): Promise<void> {
  switch (mode) {
    case 'pull': {
      const { addresses, certificate } = await addressesOf(source);
      const operation = await offer();
      try {
        await eachAddress(addresses, async (address) => {
          const from = `${address}${operationPath(operation)}`;
          const secrets = secretsOf(operation);
          await target.wait(await receive({ mode: 'pull', operation: from, secrets, certificate }), label);
        });
      } catch (error) {
        await abandon(source.client, operation);
        throw error;
      }
      return;
    }
    case 'push': {
      const { addresses, certificate } = await addressesOf(target);
      const operation = await receive({ mode: 'push' });
      try {
        await eachAddress(addresses, async (address) => {
          const to = `${address}${operationPath(operation)}`;
          await source.wait(
            await offer({ operation: to, secrets: secretsOf(operation), certificate }),
            label,
          );
        });
      } catch (error) {
        await abandon(target.client, operation);
        throw error;
      }
      // The sender has sent; the copy is there when its receiver says so.
      await target.wait(operation);
      return;
    }
    case 'relay': {
      const sending = await offer();
      let receiving: Operation;
      try {
        receiving = await receive({ mode: 'push' });
      } catch (error) {
        await abandon(source.client, sending);
        throw error;
      }
      const carried = relay(
        { client: source.client, operation: sending },
        { client: target.client, operation: receiving },
      );
      // What a server says is the better reason; that the sockets then close follows from it.
      carried.catch(() => undefined);
      await target.wait(receiving, label);
      await carried;
    }
  }
}

/** Copies an instance from one server to another: they talk to each other, or through us (`relay`). */
export async function transferInstance(transfer: Transfer): Promise<void> {
  const { source, target, mode } = transfer;
  const offer = async (to?: object): Promise<Operation> => {
    const { instance, snapshot } = source;
    const path = apiPath('instances', instance, ...(snapshot === undefined ? [] : ['snapshots', snapshot]));
    const { live, instanceOnly, allowInconsistent } = transfer;
    const body = {
      migration: true,
      live,
      ...(snapshot === undefined
        ? {
            instance_only: instanceOnly,
            container_only: instanceOnly,
            allow_inconsistent: allowInconsistent,
          }
        : { name: transfer.body.name }),
      ...(to === undefined ? {} : { target: to }),
    };
    return started(await source.context.client.change('POST', path, { body }));
  };
  const receive = async (how: object): Promise<Operation> => {
    const { body, live, instanceOnly, refresh, allowInconsistent } = transfer;
    const given = {
      type: 'migration',
      'base-image': body.config['volatile.base_image'] ?? '',
      ...(live ? { live } : {}),
      ...(instanceOnly ? { instance_only: true, container_only: true } : {}),
      ...(refresh ? { refresh } : {}),
      allow_inconsistent: allowInconsistent,
      ...how,
    };
    const request = { body: { ...body, source: given }, query: target.query };
    return started(await target.context.client.change('POST', '/1.0/instances', request));
  };
  await carryAcross({
    source: source.context,
    target: target.context,
    mode,
    label: 'Transferring instance',
    offer,
    receive,
  });
}
