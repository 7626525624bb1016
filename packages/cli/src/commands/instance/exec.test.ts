import { detachKeys } from './console.ts';
import { parseDeviceFlags } from './create-instance.ts';
import { wantsTerminal } from './exec.ts';

const flags = {
  cwd: undefined,
  'disable-stdin': false,
  env: [],
  'force-interactive': false,
  'force-noninteractive': false,
  group: undefined,
  mode: undefined,
  user: undefined,
};

describe('wantsTerminal', () => {
  it('follows stdin and stdout unless told', () => {
    expect(wantsTerminal(flags, true)).toBe(true);
    expect(wantsTerminal(flags, false)).toBe(false);
    expect(wantsTerminal({ ...flags, 'force-interactive': true }, false)).toBe(true);
    expect(wantsTerminal({ ...flags, 'force-noninteractive': true }, true)).toBe(false);
    expect(wantsTerminal({ ...flags, mode: 'interactive' }, false)).toBe(true);
    expect(wantsTerminal({ ...flags, 'disable-stdin': true }, true)).toBe(false);
  });

  it('refuses contradictions', () => {
    expect(() =>
      wantsTerminal({ ...flags, 'force-interactive': true, 'force-noninteractive': true }, true),
    ).toThrow('-t');
    expect(() => wantsTerminal({ ...flags, 'force-interactive': true, mode: 'auto' }, true)).toThrow(
      '--mode',
    );
    expect(() => wantsTerminal({ ...flags, mode: 'loud' }, true)).toThrow('Invalid mode');
  });
});

describe('detachKeys', () => {
  async function type(...chunks: string[]): Promise<{ passed: string; detached: boolean }> {
    let detached = false;
    const keys = detachKeys(() => {
      detached = true;
    });
    for (const chunk of chunks) keys.write(Buffer.from(chunk));
    keys.end();
    let passed = '';
    for await (const chunk of keys) passed += String(chunk);
    return { passed, detached };
  }

  it('passes keys on', async () => {
    expect(await type('ls\n', 'a\u0001bq')).toEqual({ passed: 'ls\na\u0001bq', detached: false });
  });

  it('detaches at ctrl+a q, also over two reads', async () => {
    expect(await type('x\u0001q')).toEqual({ passed: 'x', detached: true });
    expect(await type('\u0001', 'q')).toEqual({ passed: '', detached: true });
  });

  it('sends one ctrl+a for two', async () => {
    expect(await type('\u0001\u0001q')).toEqual({ passed: '\u0001q', detached: false });
  });
});

describe('device flags', () => {
  it('collects options by device', () => {
    expect(parseDeviceFlags(['root,size=1GiB', 'root,pool=fast', 'eth0,mtu=1400'])).toEqual({
      root: { size: '1GiB', pool: 'fast' },
      eth0: { mtu: '1400' },
    });
    expect(() => parseDeviceFlags(['root'])).toThrow('<device>,<key>=<value>');
  });
});
