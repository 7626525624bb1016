import type { BuildBase, BuildDocument, BuildFile, BuildRun, BuildStep } from './build-document.ts';
import type { documentShape } from './document-shape.ts';
import type { FieldPath, Problems } from './problems.ts';
import { exactlyOne, type Shape } from './shape.ts';

type Of<S> = S extends Shape<infer T> ? T : never;
type Raw = Of<typeof documentShape>;
type RawFile = NonNullable<Raw['files']>[number];
type RawRun = NonNullable<Raw['run']>[number];

const bases = ['image', 'debian', 'ubuntu'] as const;
const contents = ['source', 'template', 'content', 'target', 'directory'] as const;
const kinds = ['packages', 'files', 'run'] as const;

function baseOf(raw: Raw['from'], problems: Problems): BuildBase {
  exactlyOne(raw, bases, ['from'], problems);
  const {
    image = '',
    debian,
    ubuntu,
    variant = 'minbase',
    mirrors = [],
    components,
    keyring,
    packages = [],
  } = raw;
  if (debian === undefined && ubuntu === undefined) {
    for (const name of ['variant', 'mirrors', 'components', 'keyring', 'packages'] as const) {
      if (raw[name] !== undefined) problems.add(['from', name], 'is for debian and ubuntu only');
    }
    return { kind: 'image', image };
  }
  return {
    kind: 'bootstrap',
    distribution: debian === undefined ? 'ubuntu' : 'debian',
    release: debian ?? ubuntu ?? '',
    variant,
    mirrors,
    components: components ?? (debian === undefined ? ['main', 'universe'] : ['main']),
    ...(keyring === undefined ? {} : { keyring }),
    packages,
  };
}

function whatOf({ source, template, content, target }: RawFile): BuildFile['what'] {
  if (source !== undefined) return { kind: 'source', source };
  if (template !== undefined) return { kind: 'template', template };
  if (content !== undefined) return { kind: 'content', content };
  return target === undefined ? { kind: 'directory' } : { kind: 'link', target };
}

function fileOf(raw: RawFile, path: FieldPath, problems: Problems): BuildFile {
  exactlyOne(raw, contents, path, problems);
  if (raw.directory === false) problems.add([...path, 'directory'], 'can only be true');
  if (raw.target !== undefined && raw.mode !== undefined)
    problems.add([...path, 'mode'], 'is not for links, which have none');
  const { path: place, mode, owner = '0:0' } = raw;
  return {
    path: place.replace(/\/$/, ''),
    what: whatOf(raw),
    ...(mode === undefined ? {} : { mode: parseInt(mode, 8) }),
    owner,
  };
}

const runOf = ({ command, env = {}, user = '0:0', cwd = '/', network = true }: RawRun): BuildRun => ({
  command,
  env,
  user,
  cwd,
  network,
});

type Section = Partial<Pick<Raw, (typeof kinds)[number]>>;

/** In the order in which they make sense: what is installed, what is put there, what is run. */
function stepsOf(section: Section, path: FieldPath, problems: Problems): BuildStep[] {
  const { packages = [], files = [], run = [] } = section;
  return [
    ...(packages.length > 0 ? [{ kind: 'packages' as const, packages }] : []),
    ...(files.length > 0
      ? [
          {
            kind: 'files' as const,
            files: files.map((one, at) => fileOf(one, [...path, 'files', at], problems)),
            at: [...path, 'files'],
          },
        ]
      : []),
    ...run.map((one) => ({ kind: 'run' as const, run: runOf(one) })),
  ];
}

function allSteps(raw: Raw, problems: Problems): BuildStep[] {
  const { steps } = raw;
  if (!steps) return stepsOf(raw, [], problems);
  for (const name of kinds) {
    if (raw[name]) problems.add([name], 'cannot be used with steps: make it one of them');
  }
  return steps.flatMap((step, at) => {
    exactlyOne(step, kinds, ['steps', at], problems);
    return stepsOf(step, ['steps', at], problems);
  });
}

/** What the fields, each of which is right, mean together. */
export function toDocument(
  raw: Raw,
  vars: Readonly<Record<string, string>>,
  problems: Problems,
): BuildDocument {
  const { image, templates = [], epoch, exclude = [], env = {}, builder, 'cloud-init': cloudInit } = raw;
  const { description, expiry, architecture } = { ...image };
  const { network, pool, disk, cpu, memory = '2GiB', processes = '4096' } = { ...builder };
  if (expiry !== undefined && Number.isNaN(Date.parse(expiry)))
    problems.add(['image', 'expiry'], `must be a date that there is, not "${expiry}"`);
  const paths = new Set<string>();
  return {
    aliases: [...(image?.name === undefined ? [] : [image.name]), ...(image?.aliases ?? [])],
    ...(description === undefined ? {} : { description }),
    properties: image?.properties ?? {},
    ...(expiry === undefined || Number.isNaN(Date.parse(expiry))
      ? {}
      : { expiry: new Date(expiry).toISOString() }),
    public: image?.public ?? false,
    ...(architecture === undefined ? {} : { architecture }),
    compression: image?.compression ?? 'zstd',
    from: baseOf(raw.from, problems),
    steps: allSteps(raw, problems),
    templates: templates.map((one, at) => {
      exactlyOne(one, ['content', 'source'], ['templates', at], problems);
      const { path, when = ['create', 'copy'], content, source, properties = {} } = one;
      if (paths.has(path)) problems.add(['templates', at, 'path'], `is there twice: "${path}"`);
      paths.add(path);
      return {
        path,
        when,
        createOnly: one['create-only'] ?? false,
        ...(content === undefined ? {} : { content }),
        ...(source === undefined ? {} : { source }),
        properties,
      };
    }),
    ...(cloudInit === undefined ? {} : { cloudInit }),
    ...(epoch === undefined ? {} : { epoch }),
    exclude,
    env,
    builder: {
      ...(network === undefined ? {} : { network }),
      ...(pool === undefined ? {} : { pool }),
      ...(disk === undefined ? {} : { disk }),
      ...(cpu === undefined ? {} : { cpu }),
      memory,
      processes,
    },
    vars,
  };
}
