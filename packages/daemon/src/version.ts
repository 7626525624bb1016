/** Put in by the bundler; a run from source has none. */
declare const LXD_TS_VERSION: string | undefined;

export const version = typeof LXD_TS_VERSION === 'string' ? LXD_TS_VERSION : '0.0.0-source';
