import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFalse, LxdError, validators } from '@lxd-ts/core';
import { checks } from './checks.ts';
import type { DeviceContext, DeviceDriver } from './driver.ts';
import { nodeDevice, numbersOf, type HostNode } from './node-device.ts';

/** From the options, or from the node of the host. None: not there, and not required. */
async function find(context: DeviceContext, kind: 'c' | 'b'): Promise<HostNode[]> {
  const { config, name, devDir } = context;
  const path = config['path'] || config['source'] || '';
  if (config['major'] && config['minor'])
    return [{ kind, path, major: Number(config['major']), minor: Number(config['minor']) }];
  const source = join('/', config['source'] || config['path'] || '');
  const found = await stat(source.replace(/^\/dev(?=\/)/, devDir)).catch(() => undefined);
  const right = kind === 'c' ? found?.isCharacterDevice() : found?.isBlockDevice();
  if (found && right) return [{ kind, path, ...numbersOf(found.rdev) }];
  if (isFalse(config['required'])) return [];
  const what = kind === 'c' ? 'character' : 'block';
  throw new LxdError('invalid', `Device "${name}": "${source}" is not a ${what} device of this host`);
}

const hostDevice = (value: string): string | undefined =>
  checks.absolutePath(value) === undefined && join(value).startsWith('/dev/')
    ? undefined
    : 'Path needs to be in /dev';

/** A device node of the host, by its path or its numbers. */
export const unixDevice = (type: 'unix-char' | 'unix-block'): DeviceDriver =>
  nodeDevice({
    type,
    schema: {
      source: { check: hostDevice, description: 'Path on the host, below /dev', default: 'path' },
      path: { check: checks.pathInside, description: 'Path inside', default: 'source' },
      major: { check: checks.deviceNumber, description: 'Major number', default: "the source's" },
      minor: { check: checks.deviceNumber, description: 'Minor number', default: "the source's" },
      required: {
        check: validators.bool,
        description: 'Whether it must be there at start; otherwise it comes and goes with that of the host',
        default: 'true',
      },
    },
    validate: (config) => {
      if (!config['source'] && !config['path']) {
        throw new LxdError(
          'invalid',
          'Unix device entry is missing the required "source" or "path" property',
        );
      }
    },
    find: (context) => find(context, type === 'unix-char' ? 'c' : 'b'),
  });
