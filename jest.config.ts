import type { Config } from 'jest';

const transform: Config['transform'] = {
  '\\.ts$': [
    '@swc/jest',
    { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
  ],
};

/** Every suite but `unit` needs root and a machine prepared by `scripts/setup`; `scripts/test` says what of it runs side by side. */
const real = (name: string): NonNullable<Config['projects']>[number] => ({
  displayName: name,
  testEnvironment: 'node',
  transform,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
});

const config: Config = {
  testTimeout: 120_000,
  projects: [
    {
      displayName: 'unit',
      testEnvironment: 'node',
      transform,
      testMatch: ['<rootDir>/packages/*/src/**/*.test.ts', '<rootDir>/scripts/**/*.test.ts'],
    },
    real('integration'),
    real('e2e'),
    real('differential'),
    real('chaos'),
    real('scale'),
  ],
};

export default config;
