import { storagePool } from '../../base/entities.ts';
import { deleteCommand } from '../../base/entity.ts';

export default deleteCommand(storagePool);
