import { recoverDialogue, type RecoverFound, type RecoverPool } from './recover-dialogue.ts';

const known: RecoverPool = { name: 'k', driver: 'dir', config: { source: '/k' } };
const volume = { name: 'c1', type: 'container', snapshotCount: 2, project: 'default', pool: 'b' };

function talk(answers: string[], found: RecoverFound[], pools = [known]) {
  const said: string[] = [];
  const calls: [string, readonly RecoverPool[]][] = [];
  const done = recoverDialogue({
    ask: (question) => {
      said.push(question);
      return Promise.resolve(answers.shift());
    },
    say: (text) => void said.push(text),
    pools,
    drivers: ['btrfs', 'dir'],
    validate: (all) => {
      calls.push(['validate', all]);
      return Promise.resolve(found.shift() ?? { UnknownVolumes: null, DependencyErrors: null });
    },
    take: (all) => {
      calls.push(['take', all]);
      return Promise.resolve({});
    },
  });
  return { done, calls, said };
}

const whole: RecoverFound = { UnknownVolumes: [volume], DependencyErrors: null };

describe('admin recover', () => {
  it('asks for pools, shows what is found, and takes it in when that is confirmed', async () => {
    const answers = ['yes', 'b', 'nope', 'btrfs', '/b.img', 'wrong', 'size=1GiB', '', 'no', '', 'yes'];
    const { done, calls, said } = talk(answers, [whole]);
    expect(await done).toContain('on record again');
    const pools = [known, { name: 'b', driver: 'btrfs', config: { source: '/b.img', size: '1GiB' } }];
    expect(calls).toEqual([
      ['validate', pools],
      ['take', pools],
    ]);
    const text = said.join('');
    expect(text).toContain(' - EXISTING: "k" (backend="dir", source="/k")');
    expect(text).toContain(' - NEW: "b" (backend="btrfs", source="/b.img")');
    expect(text).toContain(' - Container "c1" on pool "b" in project "default" (includes 2 snapshots)');
  });

  it('looks again when what is missing was made', async () => {
    const lacking = { ...whole, DependencyErrors: ['Profile "p" in project "default"'] };
    const { done, calls, said } = talk(['no', 'yes', '', 'yes'], [lacking, whole]);
    await done;
    expect(calls.map(([call]) => call)).toEqual(['validate', 'validate', 'take']);
    expect(said.join('')).toContain(' - Profile "p" in project "default"');
  });

  it.each<[string, string[], RecoverFound[], string]>([
    ['is not confirmed', ['no', 'yes', 'no'], [whole], 'Nothing was changed'],
    ['is not confirmed by silence', ['no', 'yes', ''], [whole], 'Nothing was changed'],
    ['shall not be looked for', ['no', 'no'], [whole], 'Nothing was changed'],
    ['is not there', ['no', 'yes'], [], 'Nothing to do'],
  ])('takes nothing in that %s', async (_what, answers, found, last) => {
    const { done, calls } = talk(answers, found);
    expect(await done).toContain(last);
    expect(calls.map(([call]) => call)).not.toContain('take');
  });

  it('ends where nobody answers', async () => {
    const { done, calls } = talk(['no', 'yes'], [whole]);
    await expect(done).rejects.toThrow('nothing was changed');
    expect(calls.map(([call]) => call)).toEqual(['validate']);
  });
});
