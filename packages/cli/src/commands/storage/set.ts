import { storagePool } from '../../base/entities.ts';
import { setCommand } from '../../base/entity.ts';

export default setCommand(storagePool);
