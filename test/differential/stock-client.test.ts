import { describeLife } from '../support/client-life.ts';
import { referenceLife } from '../support/lives.ts';
import { referenceMissing } from '../support/reference.ts';

// The very steps of test/e2e/stock-client.test.ts: what they expect is LXD's behaviour, not only ours.
const missing = referenceMissing();
if (missing) test.skip(`the stock client with real LXD (${missing})`, () => undefined);
else describeLife(referenceLife);
