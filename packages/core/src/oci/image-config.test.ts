import { isOciConfig, parseOciImageConfig } from './image-config.ts';
import { signalNumber } from './stop-signal.ts';

const config = (run: object, more: object = {}) =>
  JSON.stringify({
    ...{ architecture: 'amd64', os: 'linux', created: '2026-01-02T03:04:05.678Z', config: run },
    rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] },
    ...more,
  });

it('becomes what an instance begins with', () => {
  const { instance, ...rest } = parseOciImageConfig(
    config({
      ...{
        Entrypoint: ['/entry', 'a b'],
        Cmd: ["c'd"],
        User: 'app:1',
        WorkingDir: '/w',
        StopSignal: 'sigquit',
      },
      Env: ['PATH=/bin', 'A=b=c', 'EMPTY=', '=x', 'no', 'bad name=1'],
      Labels: { title: 'x', number: 1 },
    }),
  );
  expect(instance).toEqual({
    'oci.entrypoint': `/entry 'a b' 'c'\\''d'`,
    'oci.user': 'app:1',
    'oci.cwd': '/w',
    'oci.stop_signal': 'SIGQUIT',
    'environment.PATH': '/bin',
    'environment.A': 'b=c',
  });
  expect(rest).toEqual({
    ...{ architecture: 'x86_64', created: 1_767_323_045, labels: { title: 'x' } },
    diffIds: [`sha256:${'1'.repeat(64)}`],
  });
  expect(isOciConfig(instance)).toBe(true);
});

it('of one that says nothing is known for what it is', () => {
  const { instance, created } = parseOciImageConfig(config({}, { created: null, config: null }));
  expect([instance, created]).toEqual([{ 'oci.cwd': '/' }, 0]);
  expect([isOciConfig(instance), isOciConfig({ 'environment.PATH': '/bin' })]).toEqual([true, false]);
});

it('puts right what is not quite as it should be', () => {
  const cwd = (WorkingDir: string) => parseOciImageConfig(config({ WorkingDir })).instance['oci.cwd'];
  expect(['', 'app', '/app/', '/a/../../b', '/'].map(cwd)).toEqual(['/', '/app', '/app', '/b', '/']);
  expect(parseOciImageConfig(config({ StopSignal: 'SIGNONE' })).instance).toEqual({ 'oci.cwd': '/' });
});

it.each([
  ['{', /not JSON/],
  [config({}, { os: 'windows' }), /for windows/],
  [config({}, { architecture: 'vax' }), /architecture "vax"/],
  [config({}, { rootfs: { diff_ids: ['x'] } }), /no digest/],
])('%.40s is refused', (text, message) => {
  expect(() => parseOciImageConfig(text)).toThrow(message);
});

it.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['9', 9],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
  ['SIGNONE', undefined],
  ['0', undefined],
  ['65', undefined],
  ['SIGRTMIN+40', undefined],
  ['', undefined],
])('signal %s', (text, number) => {
  expect(signalNumber(text)).toBe(number);
});
