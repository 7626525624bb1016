/** What an image said of itself, as an instance keeps it: LXD's `ImageMetadata`. */
export interface InstanceMetadata {
  architecture: string;
  /** Seconds since the epoch. */
  creation_date: number;
  expiry_date: number;
  properties: Record<string, string>;
  /** By the path of the file that each makes. */
  templates: Record<
    string,
    { when: string[]; create_only: boolean; template: string; properties: Record<string, string> }
  > | null;
}
