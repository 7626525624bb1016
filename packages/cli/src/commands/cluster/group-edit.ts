import { editCommand } from '../../base/entity.ts';
import { clusterGroup } from './members.ts';

export default editCommand(clusterGroup);
