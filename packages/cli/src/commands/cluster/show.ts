import { showCommand } from '../../base/entity.ts';
import { member } from './members.ts';

export default showCommand(member);
