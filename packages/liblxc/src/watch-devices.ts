import { spawn } from 'node:child_process';
import { helperEnvironment } from './helper.ts';

/** See `Liblxc.watchDevices`. */
export function watchDevices(program: string, dir: string, callback: () => void): Disposable {
  const child = spawn(program, ['devices', dir], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: helperEnvironment,
    detached: true,
  });
  child.on('error', () => undefined); // nothing will be told
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', callback);
  child.unref();
  return {
    [Symbol.dispose]: () => {
      child.stdout.off('data', callback);
      child.stdin.end();
      child.kill('SIGKILL');
    },
  };
}
