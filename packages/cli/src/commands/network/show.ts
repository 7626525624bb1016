import { network } from '../../base/entities.ts';
import { showCommand } from '../../base/entity.ts';

export default showCommand(network);
