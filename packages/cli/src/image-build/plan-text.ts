import type { Build } from './perform-build.ts';

/** How the stages of a build are called, in order: its base, its steps, the image. */
export const stageTitle = ({ plan }: Pick<Build, 'plan'>, at: number, title: string): string =>
  `[${at + 1}/${plan.steps.length + 2}] ${title}`;

/** What a build would do, a line for each stage: whether it is there already, and its key. */
export function planText(build: Build): string {
  const { base, plan, cache, document } = build;
  const isBuilt = cache.result(plan.resultKey) !== undefined;
  const row = (at: number, title: string, key: string, isThere: boolean): string =>
    `${stageTitle(build, at, title)}\n    ${isThere ? 'cached' : 'to do'}, key ${key.slice(0, 12)}`;
  const last = plan.steps.findLastIndex(({ key }) => cache.step(key));
  const names = document.aliases.length > 0 ? ` ${document.aliases.join(' ')}` : '';
  return [
    row(
      0,
      base.title,
      plan.baseKey,
      base.kind === 'image' || last >= 0 || cache.step(plan.baseKey) !== undefined,
    ),
    ...plan.steps.map(({ title, key }, at) => row(at + 1, title, key, at <= last)),
    row(plan.steps.length + 1, `image${names}`, plan.resultKey, isBuilt),
  ].join('\n');
}
