import { deleteCommand } from '../../base/entity.ts';
import { clusterGroup } from './members.ts';

export default deleteCommand(clusterGroup);
