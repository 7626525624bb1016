import { readDocument } from './read-document.ts';

const problem = (text: string, given?: Record<string, string>): string => {
  try {
    readDocument(text, 'f.yaml', given);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a document', () => {
  it('is short where little is wanted', () => {
    expect(readDocument('from: images:debian/12\nrun: echo a', 'f.yaml')).toEqual({
      aliases: [],
      properties: {},
      public: false,
      compression: 'zstd',
      from: { kind: 'image', image: 'images:debian/12' },
      steps: [{ kind: 'run', run: { command: 'echo a', env: {}, user: '0:0', cwd: '/', network: true } }],
      templates: [],
      exclude: [],
      env: {},
      builder: { memory: '2GiB', processes: '4096' },
      vars: {},
    });
  });

  it('has its sections in the order in which they make sense', () => {
    const { steps } = readDocument(
      'run: [a, b]\nfiles: [{path: /x, content: "", mode: 0640}]\npackages: [p]\nfrom: {ubuntu: noble}',
      'f.yaml',
    );
    expect(steps.map((step) => (step.kind === 'run' ? step.run.command : step.kind))).toEqual([
      ...['packages', 'files', 'a', 'b'],
    ]);
    expect(steps[1]).toMatchObject({
      files: [{ mode: 0o640, owner: '0:0', what: { kind: 'content', content: '' } }],
    });
  });

  it('has steps in its own order instead', () => {
    const { steps } = readDocument(
      'from: x\nsteps: [{run: a}, {packages: [p]}, {run: [b, {command: [c, d e]}]}]',
      'f.yaml',
    );
    expect(steps.map((step) => (step.kind === 'run' ? step.run.command : step.kind))).toEqual([
      ...['a', 'packages', 'b'],
      ['c', 'd e'],
    ]);
  });

  it('keeps texts as they are written', () => {
    const document = readDocument(
      'from: {debian: 12}\nimage: {properties: {a: 1.10, b: yes, c: 0x10}}\nenv: {N: 007}\nepoch: 5',
      'f.yaml',
    );
    expect(document).toMatchObject({
      from: { kind: 'bootstrap', release: '12', variant: 'minbase', components: ['main'] },
      properties: { a: '1.10', b: 'yes', c: '0x10' },
      env: { N: '007' },
      epoch: 5,
    });
  });

  it('puts variables in, the given before the declared', () => {
    const text = 'vars: {a: 1, b: }\nfrom: "${vars.a}"\nrun: "echo ${vars.b} ${b} $b"';
    expect(readDocument(text, 'f.yaml', { b: 'x y' })).toMatchObject({
      from: { image: '1' },
      steps: [{ run: { command: 'echo x y ${b} $b' } }],
      vars: { a: '1', b: 'x y' },
    });
    expect(problem(text)).toBe('f.yaml:1: vars.b: has no value: give one with --var b=VALUE');
    expect(problem(text, { c: '' })).toBe('--var c: the document has no such variable; there are a, b');
  });

  it('tells all that is wrong, with line, field and what would be right', () => {
    const text = [
      'image:',
      '  public: maybe',
      '  expiry: tomorrow',
      'files:',
      '  - {path: /a/../b, content: x}',
      '  - {path: /b, content: x, mode: rw}',
      'frum: x',
      'run: {comand: x}',
    ].join('\n');
    expect(problem(text).split('\n')).toEqual([
      'f.yaml:2: image.public: must be true or false, not "maybe"',
      'f.yaml:3: image.expiry: must be a date such as 2030-12-31, or with a time 2030-12-31T12:00:00Z, not "tomorrow"',
      'f.yaml:5: files[0].path: must be an absolute path without ".." such as /etc/motd, not "/a/../b"',
      'f.yaml:6: files[1].mode: must be three or four octal digits such as 0644, not "rw"',
      'f.yaml:7: frum: is no field here; did you mean from?',
      'f.yaml:8: run.comand: is no field here; did you mean command?',
      'f.yaml:8: run.command: is missing: it must be a line for the shell, or a list of words',
      'f.yaml: from: is missing: it must be an image (alias or fingerprint), or a map with debian, ubuntu or image',
    ]);
  });

  it.each([
    ['', 'f.yaml: must be a map'],
    ['- a', 'f.yaml: must be a map'],
    ['from: x\nfrom: y', 'f.yaml:2: not YAML: Map keys must be unique'],
    ['from: x\nfiles: [{path: /x}]', 'files[0]: needs one of source, template, content, target, directory'],
    ['from: x\nfiles: [{path: /x, content: a, target: b}]', 'files[0]: has content and target: use one of'],
    ['from: x\nfiles: [{path: /x, target: b, mode: 0644}]', 'files[0].mode: is not for links'],
    ['from: x\nfiles: [{path: /x, directory: false}]', 'files[0].directory: can only be true'],
    ['from: x\nfiles: [{path: /x, source: /etc/passwd}]', 'files[0].source: must be a path in the directory'],
    ['from: x\nfiles: [{path: /x, source: a/../../b}]', 'files[0].source: must be a path in the directory'],
    ['from: x\nfiles: [{path: /, content: a}]', 'files[0].path: must be an absolute path'],
    [
      'from: x\nfiles: [{path: /x, content: a, owner: "a:b:c"}]',
      'files[0].owner: must be a user, or user:group',
    ],
    ['from: x\nsteps: [{run: a}]\npackages: [b]', 'packages: cannot be used with steps'],
    ['from: x\nsteps: [{run: a, packages: [b]}]', 'steps[0]: has packages and run: use one of'],
    ['from: x\npackages: [-o, x]', 'packages[0]: must be the name of a package, not "-o"'],
    ['from: x\npackages: curl', 'packages: must be a list, each the name of a package, not "curl"'],
    ['from: {debian: x, mirrors: ["deb http://x y"]}', 'from.mirrors[0]: must be a URL'],
    ['from: {debian: x, mirrors: ["http://[trusted=yes]/ y"]}', 'from.mirrors[0]: must be a URL'],
    ['from: {image: x, variant: minbase}', 'from.variant: is for debian and ubuntu only'],
    ['from: {debian: "--help"}', 'from.debian: must be one word'],
    ['from: x\nimage: {expiry: 2030-02-31T99:00:00Z}', 'image.expiry: must be a date that there is'],
    [
      'from: x\ntemplates: [{path: /a, content: b, when: [boot]}]',
      'templates[0].when[0]: must be one of create, copy',
    ],
    [
      'from: x\ntemplates: [{path: /a, content: b}, {path: /a, content: c}]',
      'templates[1].path: is there twice',
    ],
    ['from: x\nexclude: [tmp]', 'exclude[0]: must be an absolute path'],
    ['from: x\nbuilder: {memory: lots}', 'builder.memory: must be a size such as 2GiB'],
    ['from: x\nrun: ""', 'run: must be a line for the shell, or a map with command, not nothing'],
    ['from: x\nenv: {"a b": c}', 'env.a b: is no name that can be used here'],
  ])('is refused: %j', (text, message) => {
    expect(problem(text)).toContain(message);
  });
});
