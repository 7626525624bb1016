import { createPrivateKey, X509Certificate } from 'node:crypto';
import { LxdError } from '@lxd-ts/core';
import type { Caller } from '../../http/route.ts';
import { effectTimeoutMs } from '../shared/members.ts';
import { mustBeClustered, tell, type ClusterContext } from './context.ts';

export interface ClusterCertificatePut {
  cluster_certificate?: string;
  cluster_certificate_key?: string;
}

/** @throws LxdError `invalid` when they are not PEM, or do not belong together */
function checkPair(certificate: string, key: string): void {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    throw new LxdError(
      'invalid',
      '"cluster_certificate": Certificate must be base64 encoded PEM certificate',
    );
  }
  try {
    if (parsed.checkPrivateKey(createPrivateKey(key))) return;
  } catch {
    throw new LxdError('invalid', '"cluster_certificate_key": Private key must be base64 encoded PEM key');
  }
  throw new LxdError('invalid', '"cluster_certificate_key" is not the key of "cluster_certificate"');
}

/** Every member shows this certificate to clients from now on. */
export async function updateCertificate(
  context: ClusterContext,
  { cluster_certificate: certificate = '', cluster_certificate_key: key = '' }: ClusterCertificatePut,
  caller: Caller,
): Promise<void> {
  mustBeClustered(context);
  checkPair(certificate, key);
  await context.control.updateCertificate(
    { certificate, key },
    { signal: AbortSignal.timeout(effectTimeoutMs) },
  );
  tell(context.services, 'cluster-certificate-updated', '/1.0/cluster/certificate', caller);
}
