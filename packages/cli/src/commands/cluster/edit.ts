import { editCommand } from '../../base/entity.ts';
import { member } from './members.ts';

export default editCommand(member);
