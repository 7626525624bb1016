import { createSocket } from 'node:dgram';
import { networkOf, v4Text, type Cidr } from './subnet.ts';

const serverPort = 67;

const bytesOf = (address: string): number[] => address.split('.').map(Number);

/** What a DHCP client says when it gives its address back. */
export function releaseMessage(hwaddr: string, address: string, server: string): Buffer {
  const message = Buffer.alloc(300);
  const mac = Buffer.from(hwaddr.replaceAll(':', ''), 'hex');
  message.set([1, 1, 6], 0); // a request, over Ethernet, with addresses of six bytes
  mac.copy(message, 4, 2); // its number: nobody answers to it
  message.set(bytesOf(address), 12);
  mac.copy(message, 28);
  message.set([0x63, 0x82, 0x53, 0x63], 236);
  message.set([53, 1, 7, 54, 4, ...bytesOf(server), 255], 240);
  return message;
}

/**
 * Gives an address back in the name of an instance that is gone: its server would keep address and name for as long as
 * the lease was good for. As a broadcast, which the kernel brings back as if it had come in by the bridge.
 */
export function releaseLease(bridge: Cidr, hwaddr: string, address: string): Promise<void> {
  const broadcast = v4Text(networkOf(bridge) + (1n << BigInt(32 - bridge.prefix)) - 1n);
  const socket = createSocket('udp4');
  return new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, bridge.address, () => {
      socket.setBroadcast(true);
      socket.send(releaseMessage(hwaddr, address, bridge.address), serverPort, broadcast, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }).finally(() => {
    socket.close();
  });
}
