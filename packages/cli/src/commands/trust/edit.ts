import { editCommand } from '../../base/entity.ts';
import { certificate } from './certificate.ts';

export default editCommand(certificate);
