import { createHash } from 'node:crypto';
import type { BuildDocument, BuildRun, BuildStep } from './document/build-document.ts';
import type { BuildInputs, OwnedNode } from './read-inputs.ts';

/** Part of every key: other when what a step does with the same input is other. */
const format = 1;

export type StepWork =
  | { kind: 'packages'; packages: readonly string[] }
  | { kind: 'files'; nodes: readonly OwnedNode[] }
  | { kind: 'run'; run: BuildRun };

export interface PlannedStep {
  /** Of all that it comes from: the key before it and its own input. */
  key: string;
  title: string;
  work: StepWork;
}

/** What is to be done, without having looked at anything but the input. */
export interface BuildPlan {
  /** Of what the steps begin with. */
  baseKey: string;
  steps: readonly PlannedStep[];
  /** Of the image that comes of it. */
  resultKey: string;
}

/** Equal values have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

export const keyOf = (...parts: readonly unknown[]): string =>
  createHash('sha256')
    .update(canonical([format, ...parts]))
    .digest('hex');

const clipped = (text: string): string => {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > 70 || line !== text.trim() ? `${line.slice(0, 70)} …` : line;
};

function titleOf(step: BuildStep): string {
  switch (step.kind) {
    case 'packages':
      return clipped(`packages ${step.packages.join(' ')}`);
    case 'files':
      return clipped(`files ${step.files.map(({ path }) => path).join(' ')}`);
    case 'run': {
      const { command } = step.run;
      return `run ${clipped(typeof command === 'string' ? command : command.join(' '))}`;
    }
  }
}

/**
 * Pure. A step's key is that of the one before with its own input, contents of files included: what changes in one
 * changes it and all that follow, and no others.
 * @param base what the image is built from: its fingerprint, or all that decides what is installed
 */
export function planBuild(document: BuildDocument, inputs: BuildInputs, base: unknown): BuildPlan {
  const { epoch, env } = document;
  const baseKey = keyOf('base', base, epoch ?? null);
  let key = baseKey;
  let sections = 0;
  const steps = document.steps.map((step): PlannedStep => {
    const work: StepWork =
      step.kind === 'files' ? { kind: 'files', nodes: inputs.files[sections++] ?? [] } : step;
    // Commands see the environment of the document; files do not.
    key = keyOf(key, work, work.kind === 'files' ? {} : env);
    return { key, title: titleOf(step), work };
  });
  const { description, properties, expiry, architecture, compression, templates, cloudInit, exclude } =
    document;
  const result = {
    ...{ description, properties, expiry, architecture, compression, cloudInit, exclude },
    templates: templates.map(({ source: _, ...template }, at) => ({
      ...template,
      content: inputs.templates[at],
    })),
  };
  return { baseKey, steps, resultKey: keyOf(key, 'result', result) };
}
