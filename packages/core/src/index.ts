export * from './errors.ts';
export * from './schema.ts';
export * from './spec.ts';
export * from './undo.ts';
export * from './units.ts';
