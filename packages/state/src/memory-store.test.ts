import { memoryStore } from './memory-store.ts';
import { recordsSuite } from './testing/records-suite.ts';
import { storeSuite, type Harness } from './testing/store-suite.ts';

async function setup(): Promise<Harness> {
  const store = memoryStore();
  return {
    store,
    open: async () => store,
    compact: async () => store.compact(),
    expire: async (lease) => store.expire(lease),
    close: () => store.close(),
  };
}

storeSuite('memory', setup);
recordsSuite('memory', setup);
