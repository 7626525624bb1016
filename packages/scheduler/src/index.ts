export * from './place.ts';
export * from './request.ts';
export { compareScores, type Score } from './scores.ts';
export * from './snapshot.ts';
