import { describeLife } from '../support/client-life.ts';
import { ownClientLife } from '../support/lives.ts';

describeLife(ownClientLife);
