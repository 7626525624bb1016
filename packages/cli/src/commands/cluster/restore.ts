import { memberStateCommand } from './change-state.ts';

export default memberStateCommand(
  'restore',
  'Ends an evacuation: instances come back to the member and start again.',
);
