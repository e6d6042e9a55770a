import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { until } from '../until.js';
import { TcpProxy } from './tcp-proxy.js';

let target: Server;
let proxy: TcpProxy;
const clients: Socket[] = [];
let received: string;
let served: Set<Socket>;
beforeEach(async () => {
  received = '';
  served = new Set();
  target = createServer((socket) => {
    served.add(socket);
    socket.once('close', () => served.delete(socket)).on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      if (bytes.length < 100) received += String(bytes);
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  proxy = await TcpProxy.start(`http://127.0.0.1:${(target.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  for (const socket of served) socket.destroy();
  target.close();
});

interface Talk {
  readonly socket: Socket;
  heard: string;
  error?: NodeJS.ErrnoException;
  closed: boolean;
}

function talk(): Talk {
  const socket = connect(Number(new URL(proxy.endpoint).port), '127.0.0.1');
  clients.push(socket);
  const talking: Talk = { socket, heard: '', closed: false };
  socket.setEncoding('latin1').on('data', (text: string) => (talking.heard += text));
  socket.on('error', (error) => (talking.error = error)).once('close', () => (talking.closed = true));
  return talking;
}

const answered = async (talking: Talk, text: string): Promise<void> => {
  talking.socket.write(text);
  await until(`an answer to ${text}`, () => talking.heard.endsWith(text));
};

test('what is sent comes back, much of it too, and an end ends both sides', async () => {
  const one = talk();
  await answered(one, 'one');
  one.socket.write(Buffer.alloc(32 << 20));
  await until('32 MB', () => one.heard.length === 3 + (32 << 20));
  one.socket.end();
  await until('the end of all', () => one.closed && served.size === 0 && proxy.connections === 0);
  expect(one.error).toBeUndefined();
  expect([proxy.swallowed, proxy.refused]).toEqual([0, 0]);
});

test('a target that goes away takes its connection with it', async () => {
  const one = talk();
  await answered(one, 'one');
  for (const socket of served) socket.destroy();
  await until('the end', () => one.closed);
});

test('cut, it resets what is open and what comes, until it is opened', async () => {
  const one = talk();
  await answered(one, 'one');
  proxy.cut();
  await until('the reset', () => one.closed && served.size === 0);
  expect(one.error).toMatchObject({ code: 'ECONNRESET' });
  const two = talk();
  await until('the refusal', () => two.closed);
  expect([proxy.refused, served.size]).toEqual([1, 0]);
  proxy.open();
  await answered(talk(), 'three');
});

test('half open, it takes all and answers nothing on connections old and new, until it is opened', async () => {
  const one = talk();
  await answered(one, 'one');
  proxy.halfOpen();
  const two = talk();
  one.socket.write('lost');
  two.socket.write('lost');
  await until('all to be taken', () => proxy.swallowed === 8);
  // Nor does it come through what the target says by itself.
  for (const socket of served) socket.write('unheard');
  expect([one.closed, two.closed, proxy.connections]).toEqual([false, false, 2]);
  proxy.open();
  await until('both reset', () => one.closed && two.closed);
  expect([one.heard, two.heard, received]).toEqual(['one', '', 'one']);
  await answered(talk(), 'three');
});
