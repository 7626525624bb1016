export * from './host.ts';
export { linuxHost } from './linux-host.ts';
export { fakeHost, type FakeHost } from './fake-host.ts';
export { applyRuleset, firewallTable, removeChains } from './firewall.ts';
