import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface AptSources {
  /** One-line entries (`deb …`). */
  list: string;
  /** deb822 stanzas. */
  deb822: string;
}

const isOf = (suite: string, codename: string): boolean =>
  suite === codename || suite.startsWith(`${codename}-`) || suite.startsWith(`${codename}/`);

function fromList(text: string, codename: string, release: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, head, suite = '', tail] = /^(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)(\s.*)$/.exec(line) ?? [];
    return isOf(suite, codename) ? [`${head ?? ''}${suite.replace(codename, release)}${tail ?? ''}`] : [];
  });
}

function fromStanzas(text: string, codename: string, release: string): string[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const lines = stanza.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    const field = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    const suites = field('suites')
      .split(/\s+/)
      .filter((suite) => isOf(suite, codename));
    if (suites.length === 0 || !/\bdeb\b/.test(field('types')) || /^(no|false)$/i.test(field('enabled')))
      return [];
    const renamed = suites.map((suite) => suite.replace(codename, release)).join(' ');
    return [lines.map((line) => (/^suites:/i.test(line) ? `Suites: ${renamed}` : line)).join('\n')];
  });
}

/**
 * The entries of apt's sources that are for the distribution itself; a third party's have suites of other names.
 * @param codename of this machine; `release` takes its place
 */
export function selectSources(
  files: readonly { name: string; text: string }[],
  codename: string,
  release: string,
): AptSources {
  const join822 = (parts: readonly string[]): string => parts.map((part) => `${part}\n`).join('\n');
  return {
    list: files
      .filter(({ name }) => name.endsWith('.list'))
      .flatMap(({ text }) => fromList(text, codename, release))
      .map((line) => `${line}\n`)
      .join(''),
    deb822: join822(
      files
        .filter(({ name }) => name.endsWith('.sources'))
        .flatMap(({ text }) => fromStanzas(text, codename, release)),
    ),
  };
}

/** All of apt's source files under `/etc/apt`. */
export async function readSources(etcApt: string): Promise<{ name: string; text: string }[]> {
  const dir = join(etcApt, 'sources.list.d');
  const names = await readdir(dir).catch(() => []);
  const paths = [join(etcApt, 'sources.list'), ...names.sort().map((name) => join(dir, name))];
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return paths.map((name, i) => ({ name, text: texts[i] ?? '' }));
}

/** How this machine reaches its mirrors (proxies, certificates, retries), as apt's configuration. */
export function selectAptOptions(dump: string): string {
  const wanted = /^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b/i;
  return dump
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => `${line}\n`)
    .join('');
}
