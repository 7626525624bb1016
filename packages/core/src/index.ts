export * from './errors.ts';
export * from './expand.ts';
export * from './idmap.ts';
export * from './names.ts';
export * from './schema.ts';
export * from './spec.ts';
export * from './undo.ts';
export * from './units.ts';
