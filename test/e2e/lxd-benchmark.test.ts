import { join } from 'node:path';
import { run, type Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { stockClientLife } from '../support/lives.ts';
import { stockClientMissing } from '../support/reference.ts';

const missing = stockClientMissing();
const count = 50;

/** LXD's own tool against our socket. What it measures is for people to read; here it must get through. */
(missing ? describe.skip : describe)(`lxd-benchmark with lxd-tsd${missing ? ` (${missing})` : ''}`, () => {
  let ground: Ground;
  let lxc: Client;

  const benchmark = async (...args: string[]): Promise<string> => {
    const environment = { LXD_DIR: ground.server.dir, HOME: join(ground.dir, 'home') };
    const { code, stdout, stderr } = await run(['lxd-benchmark', ...args], { environment });
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  };
  const statuses = async (): Promise<string[]> => {
    const { stdout } = await lxc(['list', '-c', 's', '-f', 'csv']);
    return stdout.split('\n').filter(Boolean);
  };

  beforeAll(async () => {
    ground = await prepareGround('lxd-benchmark', (dir) => stockClientLife.start(dir));
    lxc = stockClientLife.client(ground.server.dir, join(ground.dir, 'home'));
    await stockClientLife.init(ground.server);
    expect(await lxc(['image', 'import', ground.image.unified, '--alias', 'busybox'])).toMatchObject({
      code: 0,
    });
  });
  afterAll(() => ground.clear());

  test(`makes, starts, stops and deletes ${count} containers`, async () => {
    const told: string[] = [];
    told.push(await benchmark('init', '--count', String(count), 'local:busybox'));
    expect(await statuses()).toEqual(Array.from({ length: count }, () => 'STOPPED'));
    told.push(await benchmark('start'));
    expect(await statuses()).toEqual(Array.from({ length: count }, () => 'RUNNING'));
    told.push(await benchmark('stop'));
    expect(await statuses()).toEqual(Array.from({ length: count }, () => 'STOPPED'));
    told.push(await benchmark('delete'));
    expect(await statuses()).toEqual([]);
    console.info(told.flatMap((text) => / completed in .*/.exec(text) ?? text).join('\n'));
  });
});
