import { storagePool } from '../../base/entities.ts';
import { unsetCommand } from '../../base/entity.ts';

export default unsetCommand(storagePool);
