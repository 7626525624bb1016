import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OperationView } from '@lxd-ts/operations';
import type { ImageTokenRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { untilUsed } from '../shared/token-life.ts';

/** How long a secret is good, as LXD's. */
const secretMs = 3_600_000;

const hash = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** The token of a secret for this image, whichever server of the control plane gave it out. */
export function imageToken(
  { records, clock }: Services,
  kind: ImageTokenRecord['kind'],
  fingerprint: string,
  secret: string,
): ImageTokenRecord | undefined {
  const shown = hash(secret);
  return records
    .list('imageTokens')
    .map(({ value }) => value)
    .find(
      (one) =>
        one.kind === kind &&
        one.fingerprint === fingerprint &&
        timingSafeEqual(Buffer.from(one.secretHash, 'hex'), shown) &&
        new Date(one.expiresAt) > clock.now(),
    );
}

/** Its operation shows the secret, and is good as long as the secret is. */
export async function createImageToken(
  { records, operations, clock, server, events }: Services,
  token: Pick<ImageTokenRecord, 'kind' | 'project' | 'fingerprint' | 'image'>,
): Promise<OperationView> {
  const secret = randomBytes(32).toString('hex');
  const expiresAt = new Date(clock.now().getTime() + secretMs).toISOString();
  const { project, fingerprint, image } = token;
  const operation = await operations.start({
    class: 'token',
    description: 'Image download token',
    project,
    resources: { images: [fingerprint] },
    metadata: {
      secret,
      ...(image
        ? {
            public: image.public,
            properties: Object.keys(image.properties).length > 0 ? image.properties : null,
            aliases: image.aliases.length > 0 ? image.aliases : null,
            expires_at: '0001-01-01T00:00:00Z',
          }
        : {}),
    },
    mayCancel: true,
    intent: (id, transaction) =>
      transaction.create('imageTokens', [id], {
        ...token,
        id,
        secretHash: hash(secret).toString('hex'),
        expiresAt,
        server,
      }),
    run: ({ id, signal }) => untilUsed(records, 'imageTokens', { id, expiresAt }, () => clock.now(), signal),
  });
  events.lifecycle({ action: 'image-secret-created', source: `/1.0/images/${fingerprint}`, project });
  return operation;
}
