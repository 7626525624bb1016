import { posix } from 'node:path';
import { LxdError } from '../errors.ts';
import { fieldsOf, listOf, textOf, type Fields } from '../fields.ts';
import type { Config } from '../spec.ts';
import { architectureOfOci } from './manifest.ts';
import { checkOciDigest } from './reference.ts';
import { signalNumber } from './stop-signal.ts';
import { joinWords } from './words.ts';

/** What an image says of itself. */
export interface OciImageConfig {
  /** As LXD names it. */
  architecture: string;
  /** Seconds since the epoch; 0: it does not say. */
  created: number;
  /** Digests of the layers as plain tarballs, the lowest first. */
  diffIds: string[];
  /** What an instance made of it begins with: `oci.*` and `environment.*`. */
  instance: Config;
  labels: Config;
}

const textsOf = (value: unknown): string[] =>
  listOf(value).filter((one): one is string => typeof one === 'string');

/** @throws LxdError `invalid` for what is no image for Linux */
export function parseOciImageConfig(text: string): OciImageConfig {
  let fields: Fields;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch (error) {
    throw new LxdError('invalid', "The image's configuration is not JSON", { cause: error });
  }
  const os = textOf(fields['os']);
  if (os !== '' && os !== 'linux') throw new LxdError('invalid', `The image is for ${os}, not for Linux`);
  const architecture = architectureOfOci(textOf(fields['architecture']), textOf(fields['variant']));
  if (architecture === '')
    throw new LxdError(
      'invalid',
      `The image is for an unknown architecture "${textOf(fields['architecture'])}"`,
    );
  const created = Date.parse(textOf(fields['created']));
  const run = fieldsOf(fields['config']);
  const command = [...textsOf(run['Entrypoint']), ...textsOf(run['Cmd'])];
  const environment = textsOf(run['Env']).flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    // Names that no shell could have are nobody's.
    return at > 0 && /^[^\s=\0]+$/.test(line.slice(0, at))
      ? [[`environment.${line.slice(0, at)}`, line.slice(at + 1)]]
      : [];
  });
  const stopSignal = textOf(run['StopSignal']).toUpperCase();
  const set = {
    'oci.entrypoint': joinWords(command),
    'oci.user': textOf(run['User']),
    'oci.stop_signal': signalNumber(stopSignal) === undefined ? '' : stopSignal,
  };
  return {
    architecture,
    created: created > 0 ? Math.floor(created / 1000) : 0,
    diffIds: textsOf(fieldsOf(fields['rootfs'])['diff_ids']).map(checkOciDigest),
    instance: {
      ...Object.fromEntries(Object.entries(set).filter(([, value]) => value !== '')),
      'oci.cwd': posix.join('/', textOf(run['WorkingDir'])).replace(/(?<=.)\/$/, ''),
      ...Object.fromEntries(environment.filter(([, value]) => value !== '')),
    },
    labels: Object.fromEntries(
      Object.entries(fieldsOf(run['Labels'])).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      ),
    ),
  };
}

/** Whether an instance is one of these: it has no init system. */
export const isOciConfig = (config: Config): boolean =>
  Boolean(config['oci.cwd'] ?? config['oci.entrypoint']);

/** Those keys of an instance, or of what claims to be some, that an image may say. */
export const ociKeys = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => /^(oci\.|environment\.)./.test(key)));
