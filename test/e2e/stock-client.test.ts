import { describeLife } from '../support/client-life.ts';
import { stockClientLife } from '../support/lives.ts';
import { stockClientMissing } from '../support/reference.ts';

const missing = stockClientMissing();
if (missing) test.skip(`the stock client with lxd-tsd (${missing})`, () => undefined);
else describeLife(stockClientLife);
