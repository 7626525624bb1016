import { memberStateCommand } from './change-state.ts';

export default memberStateCommand(
  'evacuate',
  'Empties a member: its instances move to others, or stop, as cluster.evacuate of each of them says.',
);
