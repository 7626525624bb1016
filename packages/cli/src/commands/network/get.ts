import { network } from '../../base/entities.ts';
import { getCommand } from '../../base/entity.ts';

export default getCommand(network);
