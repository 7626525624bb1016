import { readFile } from 'node:fs/promises';
import type { DeviceContext, DeviceStart } from './driver.ts';
import { hwaddrOf, insideNic, present, vlanOf } from './nic.ts';

const read = async (parent: string, what: 'address' | 'mtu'): Promise<string> =>
  (await readFile(`/sys/class/net/${parent}/${what}`, 'utf8')).trim();

const before = ({ instance, name }: DeviceContext, what: 'hwaddr' | 'mtu'): string | undefined =>
  instance.config[`volatile.${name}.last_state.${what}`];

/** An interface of the host as one of the instance; what is changed of it is remembered. */
export async function takeInterface(context: DeviceContext, link: string): Promise<DeviceStart> {
  const [hwaddr, mtu] = await Promise.all([read(link, 'address'), read(link, 'mtu')]);
  // Its own address unless told otherwise: one made up for the instance would outlast it on the wire.
  const keep = context.config['hwaddr'] ? undefined : hwaddr;
  return {
    nic: insideNic('phys', context, { link, hwaddr: keep ?? hwaddrOf(context) ?? hwaddr }),
    volatile: { 'last_state.hwaddr': hwaddr, 'last_state.mtu': mtu },
  };
}

/** It is back under its name; address and MTU are for us to put right. */
export async function giveInterfaceBack(
  context: DeviceContext,
  { signal }: { signal: AbortSignal },
): Promise<Record<string, null>> {
  const parent = vlanOf(context.config);
  if (await present(`/sys/class/net/${parent}`)) {
    const [hwaddr, mtu] = [before(context, 'hwaddr'), before(context, 'mtu')];
    const changes = [
      ...(hwaddr && hwaddr !== (await read(parent, 'address')) ? ['address', hwaddr] : []),
      ...(mtu && mtu !== (await read(parent, 'mtu')) ? ['mtu', mtu] : []),
    ];
    if (changes.length > 0) {
      await context.host.ip([`link set dev ${parent} down`, `link set dev ${parent} ${changes.join(' ')}`], {
        signal,
      });
    }
  }
  return { 'last_state.hwaddr': null, 'last_state.mtu': null };
}
