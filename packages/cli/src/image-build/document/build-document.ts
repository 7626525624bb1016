/** What an image is built from. */
export type BuildBase =
  | { kind: 'image'; image: string }
  | {
      kind: 'bootstrap';
      distribution: 'debian' | 'ubuntu';
      release: string;
      variant: string;
      /** `URL`, or `URL SUITE`; none: those of this machine. */
      mirrors: readonly string[];
      components: readonly string[];
      /** A file of the build directory, or an absolute path of this machine. */
      keyring?: string;
      packages: readonly string[];
    };

/** Something to be in the image. */
export interface BuildFile {
  path: string;
  what:
    | { kind: 'source'; source: string }
    | { kind: 'template'; template: string }
    | { kind: 'content'; content: string }
    | { kind: 'link'; target: string }
    | { kind: 'directory' };
  /** Octal. */
  mode?: number;
  /** `user[:group]`, names or numbers. */
  owner: string;
}

export interface BuildRun {
  /** A line for `/bin/sh -e`, or words. */
  command: string | readonly string[];
  env: Readonly<Record<string, string>>;
  /** `user[:group]`, names or numbers. */
  user: string;
  cwd: string;
  network: boolean;
}

export type BuildStep =
  | { kind: 'packages'; packages: readonly string[] }
  | { kind: 'files'; files: readonly BuildFile[]; at: readonly (string | number)[] }
  | { kind: 'run'; run: BuildRun };

export interface BuildTemplate {
  path: string;
  when: readonly string[];
  createOnly: boolean;
  /** Given in the document, or a file of the build directory. */
  content?: string;
  source?: string;
  properties: Readonly<Record<string, string>>;
}

/** A document that says how to build an image, checked. */
export interface BuildDocument {
  aliases: readonly string[];
  description?: string;
  properties: Readonly<Record<string, string>>;
  /** ISO 8601. */
  expiry?: string;
  public: boolean;
  /** As LXD spells it. */
  architecture?: string;
  compression: string;
  from: BuildBase;
  steps: readonly BuildStep[];
  templates: readonly BuildTemplate[];
  /** undefined: as the base has it. */
  cloudInit?: boolean;
  /** Seconds since the epoch. */
  epoch?: number;
  exclude: readonly string[];
  /** Of all commands. */
  env: Readonly<Record<string, string>>;
  builder: {
    network?: string;
    pool?: string;
    disk?: string;
    memory: string;
    cpu?: string;
    processes: string;
  };
  /** With the values that they have in this build. */
  vars: Readonly<Record<string, string>>;
}
