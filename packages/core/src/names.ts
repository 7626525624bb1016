import { LxdError } from './errors.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

function wrongHostName(name: string): string | undefined {
  if (name.length < 1 || name.length > 63) return 'Name must be 1-63 characters long';
  if (/^\d/.test(name)) return 'Name must not start with a number';
  if (name.startsWith('-')) return 'Name must not start with "-" character';
  if (name.endsWith('-')) return 'Name must not end with "-" character';
  if (!/^[a-zA-Z0-9-]+$/.test(name)) return 'Name can only contain alphanumeric and hyphen characters';
  return undefined;
}

/** An instance's name is its host name. @throws LxdError `invalid` */
export function checkInstanceName(name: string): void {
  if (name.includes('/')) throw invalid('The character "/" is reserved for snapshots');
  const wrong = wrongHostName(name);
  if (wrong !== undefined) throw invalid(`Invalid instance name: ${wrong}`);
}

/** @throws LxdError `invalid` */
export function checkProfileName(name: string): void {
  if (name === '') throw invalid('No name provided');
  if (name.includes('/')) throw invalid('Profile names may not contain slashes');
  if (name === '.' || name === '..') throw invalid(`Invalid profile name "${name}"`);
}

/** It becomes a directory. @throws LxdError `invalid` */
export function checkPoolName(name: string): void {
  if (name === '') throw invalid('No name provided');
  if (name.includes('/')) throw invalid('Storage pool names may not contain slashes');
  if (name === '.' || name === '..') throw invalid(`Storage pool name "${name}" is not allowed`);
  if (/\s/.test(name)) throw invalid('Storage name cannot contain white space');
}

/** It becomes a network interface. @throws LxdError `invalid` */
export function checkNetworkName(name: string): void {
  if (name === '') throw invalid('No name provided');
  if (name.length < 2) throw invalid('Network interface is too short (minimum 2 characters)');
  if (name.length > 15) throw invalid('Network interface is too long (maximum 15 characters)');
  if (name === '..' || !/^[\w.-]+$/.test(name))
    throw invalid('Network interface contains invalid characters');
}

/** Anything but nothing: `debian/12` is usual. @throws LxdError `invalid` */
export function checkAliasName(name: string): void {
  if (name === '') throw invalid('No name provided');
}
