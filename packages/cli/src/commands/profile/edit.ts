import { profile } from '../../base/entities.ts';
import { editCommand } from '../../base/entity.ts';

export default editCommand(profile);
