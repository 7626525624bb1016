import { showCommand } from '../../base/entity.ts';
import { clusterGroup } from './members.ts';

export default showCommand(clusterGroup);
