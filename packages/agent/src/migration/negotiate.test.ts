import { wire, type MigratedSnapshot } from '@lxd-ts/rpc';
import { agree, makeAnswer, makeOffer, superseded, type SinkSide, type SourceSide } from './negotiate.ts';
import { checkSnapshotName, migratedSnapshot, snapshotItem } from './snapshot-item.ts';

const snapshot = (name: string, second = 1): MigratedSnapshot => ({
  name,
  config: { 'user.x': 'y' },
  devices: { root: { type: 'disk', path: '/' } },
  profiles: ['default'],
  ephemeral: false,
  stateful: false,
  architecture: 'aarch64',
  createdAt: new Date(second * 1000).toISOString(),
  lastUsedAt: '',
  expiresAt: '',
});

const source: SourceSide = {
  transports: ['btrfs', 'rsync'],
  snapshots: [snapshot('s1', 1), snapshot('s2', 2)],
  running: false,
  idMap: [],
  compress: true,
};
const sink: SinkSide = { transports: ['btrfs', 'rsync'], compress: true, present: undefined };

/** As the other side reads it. */
const sent = (header: wire.Header): wire.Header => wire.Header.decode(wire.Header.encode(header).finish());

const settle = (from: Partial<SourceSide>, to: Partial<SinkSide>) => {
  const offer = sent(makeOffer({ ...source, ...from }));
  const answer = sent(makeAnswer(offer, { ...sink, ...to }));
  const { transports } = { ...source, ...from };
  return { offer, answer, agreement: agree(offer, answer, transports) };
};

test('btrfs where both have it, else rsync', () => {
  const between = (one: SourceSide['transports'], other: SinkSide['transports']) =>
    settle({ transports: one }, { transports: other }).agreement.transport;
  expect(between(['btrfs', 'rsync'], ['btrfs', 'rsync'])).toBe('btrfs');
  expect(between(['btrfs', 'rsync'], ['rsync'])).toBe('rsync');
  expect(between(['rsync'], ['btrfs', 'rsync'])).toBe('rsync');
  expect(between(['rsync'], ['rsync'])).toBe('rsync');
});

test('bytes of block volumes go as they are, unless subvolumes do', () => {
  const between = (one: SourceSide['transports'], other: SinkSide['transports']) =>
    settle({ transports: one, volumeSize: 8192 }, { transports: other });
  expect(between(['btrfs', 'blocks'], ['btrfs', 'blocks']).agreement.transport).toBe('btrfs');
  expect(between(['btrfs', 'blocks'], ['blocks']).agreement.transport).toBe('blocks');
  const { offer, answer, agreement } = between(['blocks'], ['btrfs', 'blocks']);
  expect(agreement.transport).toBe('blocks');
  expect([offer.transport, offer.volumeSize, answer.transport]).toEqual([4, 8192, 4]);
  // As an older one of ours would answer, who knows nothing of them.
  expect(() => agree(offer, { ...answer, transport: 0 }, ['blocks'])).toThrow(/not known here/);
  expect(() => between(['rsync'], ['blocks'])).toThrow(/not of content type "block"/);
  expect(() => between(['blocks'], ['rsync'])).toThrow(/block volume/);
});

test('what is 0 or false is said: the peers miss it otherwise', () => {
  const bytes = wire.Header.encode(makeOffer({ ...source, transports: ['rsync'], snapshots: [] })).finish();
  expect(Buffer.from(bytes.subarray(0, 4)).toString('hex')).toBe('08003800');
  expect(Buffer.from(wire.Outcome.encode({ success: true, message: '' }).finish()).toString('hex')).toBe(
    '08011200',
  );
});

test('fields that are not known are passed over', () => {
  const offer = makeOffer(source);
  // Field 99, a number, and field 100, a text: of some later version.
  const unknown = Buffer.from('9806 01 a20603616263'.replaceAll(' ', ''), 'hex');
  const later = Buffer.concat([wire.Header.encode(offer).finish(), unknown]);
  expect(makeAnswer(wire.Header.decode(later), sink)).toEqual(makeAnswer(sent(offer), sink));
});

test('an option holds when both know it; what only we know is not asked of others', () => {
  const offer = sent(makeOffer({ ...source, transports: ['rsync'] }));
  const peers = { ...offer, rsync: { xattrs: true, delete: true, compress: false, bidirectional: true } };
  const answer = makeAnswer(peers, sink);
  expect(agree(peers, answer, ['rsync']).rsync).toEqual({
    xattrs: true,
    delete: true,
    compress: false,
    bidirectional: true,
    hardLinks: false,
    acls: false,
  });
  expect(answer.rsync).not.toHaveProperty('hardLinks');
  expect(settle({}, { compress: false }).agreement.rsync.compress).toBe(false);
  expect(settle({}, {}).agreement.rsync).toMatchObject({ hardLinks: true, acls: true });
});

test('a refresh asks for what is not there, of the same second', () => {
  const present = [snapshot('s1', 1), snapshot('s2', 99), snapshot('gone', 3)];
  const { offer, answer, agreement } = settle({}, { present });
  expect(answer.refresh).toBe(true);
  expect(agreement.snapshots).toEqual(['s2']);
  expect(superseded(offer, present)).toEqual(['s2', 'gone']);
});

test('a refresh without identities of subvolumes goes by rsync', () => {
  const offer = { ...sent(makeOffer(source)), btrfs: { migrationHeader: true, headerSubvolumes: true } };
  expect(makeAnswer(offer, { ...sink, present: [] }).transport).toBe(0);
  expect(makeAnswer(offer, sink).transport).toBe(1);
});

test('a refresh goes by rsync when there is no state that both have, and with the same ids', () => {
  const transport = (from: Partial<SourceSide>, present: MigratedSnapshot[]) =>
    settle(from, { present }).agreement.transport;
  expect(transport({}, [snapshot('s1', 1)])).toBe('btrfs');
  expect(transport({}, [snapshot('s1', 9), snapshot('other')])).toBe('rsync');
  expect(transport({ snapshots: [] }, [])).toBe('rsync');
  const range = { users: true, groups: true, outside: 1_000_000, inside: 0, length: 65_536 };
  expect(transport({ idMap: [range] }, [snapshot('s1', 1)])).toBe('rsync');
  const idmap = '[{"Isuid":true,"Isgid":true,"Hostid":1000000,"Nsid":0,"Maprange":65536}]';
  const shifted = { ...snapshot('s1', 1), config: { 'volatile.last_state.idmap': idmap } };
  expect(transport({ snapshots: [shifted] }, [snapshot('s1', 1)])).toBe('rsync');
});

test('a running source is read once more at the end, where rsync reads it', () => {
  expect(settle({ running: true }, { transports: ['rsync'] }).agreement.again).toBe(true);
  expect(settle({ running: true }, {}).agreement.again).toBe(false);
  expect(settle({ running: false }, { transports: ['rsync'] }).agreement.again).toBe(false);
});

test('an older peer that describes nothing is not asked to', () => {
  const { indexHeaderVersion: _index, ...older } = sent(makeOffer(source));
  const answer = makeAnswer(older, sink);
  expect(agree(older, answer, source.transports).index).toBe(false);
});

test('memory and virtual machines are refused, and an answer that was not offered', () => {
  const offer = makeOffer(source);
  expect(() => makeAnswer({ ...offer, memory: 0 }, sink)).toThrow(/stateless/);
  expect(() => makeAnswer({ ...offer, transport: 4 }, sink)).toThrow(/Virtual machines/);
  const plain = makeOffer({ ...source, transports: ['rsync'] });
  expect(() => agree(plain, { ...makeAnswer(plain, sink), transport: 1 }, ['rsync'])).toThrow(
    /not known here/,
  );
  expect(makeAnswer({ ...offer, transport: 2 }, sink).transport).toBe(0);
});

test('a snapshot is the same after its way', () => {
  for (const one of [
    snapshot('s1'),
    { ...snapshot('s2'), expiresAt: '2030-01-01T00:00:00.000Z', devices: {} },
  ]) {
    const item = wire.SnapshotItem.decode(wire.SnapshotItem.encode(snapshotItem(one)).finish());
    expect(migratedSnapshot(item)).toEqual(one);
  }
  expect(snapshotItem(snapshot('s1'))).toMatchObject({ architecture: 4, lastUsed: -62135596800 });
});

test.each(['', '.', '..', 'a/b', '../../etc', 'a\0'])('a snapshot cannot be called %j', (name) => {
  expect(() => checkSnapshotName(name)).toThrow(/cannot be/);
});
