/** Two parts in one name: `-` stands between them and is doubled within, as in LXD's names of logical volumes. */
export function joinDashed(name: string, snapshot?: string): string {
  const parts = snapshot === undefined ? [name] : [name, snapshot];
  return parts.map((part) => part.replaceAll('-', '--')).join('-');
}

/** The parts again; undefined when it is no such name. A doubled `-` is read as one of the first part's where both could be. */
export function splitDashed(text: string): { name: string; snapshot?: string } | undefined {
  const [, name, snapshot] = /^((?:[^-]|--)+)(?:-((?:[^-]|--)+))?$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const plain = (part: string) => part.replaceAll('--', '-');
  return { name: plain(name), ...(snapshot === undefined ? {} : { snapshot: plain(snapshot) }) };
}
