import { parseCounters } from './interfaces.ts';

test('reads counters of every interface', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0          0
  eth0:5000000000      30    0    0    0     0          0         0     4000      40    0    0    0     0       0          0
`;
  expect(parseCounters(text).get('eth0')).toEqual({
    bytesReceived: 5_000_000_000,
    packetsReceived: 30,
    bytesSent: 4000,
    packetsSent: 40,
  });
  expect(parseCounters(text).size).toBe(2);
});
