import { showCommand } from '../../base/entity.ts';
import { certificate } from './certificate.ts';

export default showCommand(certificate);
