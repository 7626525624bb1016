import { profile } from '../../base/entities.ts';
import { setCommand } from '../../base/entity.ts';

export default setCommand(profile);
