import { LxdError } from '@lxd-ts/core';

/** As whom an application runs; ids as seen inside. */
export interface AppUser {
  uid: number;
  gid: number;
  /** Beside `gid`. */
  groups: number[];
  home: string;
}

const maxId = 2 ** 32 - 2;
const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) <= maxId;

/** Lines of a file like passwd, as their fields. */
const fieldsOf = (text: string): string[][] =>
  text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter(([name = '', , id = '']) => name !== '' && !name.startsWith('#') && isId(id));

/**
 * `user`, `user:group`, each a name or a number; '': root. Numbers need not be in the files.
 * @param passwd what /etc/passwd of the instance says, '' where there is none; `group` likewise
 * @throws LxdError `invalid` for a name that is not there
 */
export function appUser(wanted: string, passwd: string, group: string): AppUser {
  const [user = '', ofGroup] = wanted.split(':');
  const users = fieldsOf(passwd);
  const groups = fieldsOf(group);
  const name = user === '' ? '0' : user;
  const found =
    users.find(([known]) => known === name) ??
    users.find(([, , id]) => isId(name) && Number(id) === Number(name));
  if (!found && !isId(name))
    throw new LxdError('invalid', `"oci.user": the instance's /etc/passwd has no user "${name}"`);
  const uid = Number(found?.[2] ?? name);
  const own = isId(found?.[3] ?? '') ? Number(found?.[3]) : 0;
  const home = found?.[5] || '/';
  if (ofGroup !== undefined && ofGroup !== '') {
    const named = groups.find(([known]) => known === ofGroup)?.[2] ?? ofGroup;
    if (!isId(named))
      throw new LxdError('invalid', `"oci.user": the instance's /etc/group has no group "${ofGroup}"`);
    return { uid, gid: Number(named), groups: [], home };
  }
  const member = found?.[0];
  const more = groups
    .filter(([, , , members = '']) => member !== undefined && members.split(',').includes(member))
    .map(([, , id]) => Number(id))
    .filter((id) => id !== own);
  return { uid, gid: own, groups: [...new Set(more)], home };
}
