import { createServer, connect, type Socket } from 'node:net';

/** Stands between a store and etcd's socket, and loses what it is told to lose. */
export interface FlakyProxy extends AsyncDisposable {
  /** Requests arrive; answers do not. */
  swallowAnswers(): void;
  /** Nothing gets through, in either direction, and nobody is told. */
  freeze(): void;
  /** Breaks all connections; new ones work. */
  heal(): void;
}

export async function flakyProxy(path: string, target: string): Promise<FlakyProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let requests = true;
  let answers = true;
  const server = createServer((near) => {
    const far = connect(target);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on('data', (data) => requests && far.write(data));
    far.on('data', (data) => answers && near.write(data));
    for (const socket of pair) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    for (const [near] of [...pairs]) near.destroy();
  };
  return {
    swallowAnswers() {
      answers = false;
    },
    freeze() {
      requests = false;
      answers = false;
    },
    heal() {
      requests = true;
      answers = true;
      cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
