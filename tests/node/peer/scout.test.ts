import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { LanDiscovery } from '../../../node/peer/lan-discovery.ts';
import { PeerBook } from '../../../node/peer/peer-book.ts';
import { Scout } from '../../../node/peer/scout.ts';
import { Layout } from '../../../node/store/layout.ts';
import { RepositoryConfigs } from '../../../node/system/repository-configs.ts';

const ADDRESS = '/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';

describe('whether there is anybody to ask', () => {
  test('nobody is, where nobody was met, and no site names any', async (t) => {
    const { watch } = await stage(t, { sites: ['{"schema":1}', 'no JSON', undefined] });
    assert.deepEqual(await watch(), 'silence');
  });

  test('somebody is, where a site names peers', async (t) => {
    const { watch } = await stage(t, { sites: [undefined, JSON.stringify({ peers: [ADDRESS] })] });
    assert.deepEqual(await watch(), [ADDRESS]);
  });

  test('somebody is, where peers were met; who was banned, or has no address, is nobody', async (t) => {
    const { book, watch } = await stage(t, { sites: [undefined] });
    book.met('a', { addresses: [ADDRESS], scope: 'lan' });
    book.ban('a', 'it lied');
    book.met('b', { addresses: [], scope: 'lan' });
    assert.deepEqual(await watch(), 'silence');
    book.met('c', { addresses: [ADDRESS], scope: 'lan' });
    assert.deepEqual(await watch(), []);
  });

  test('somebody is, who answers on the network', async (t) => {
    const { port, heard } = await stage(t, {});
    const other = new LanDiscovery({ port, addresses: () => [ADDRESS], onFound: () => undefined });
    t.after(() => other.stop());
    other.start();
    assert.deepEqual(await heard(), [ADDRESS]);
  });

  test('a flood of packets is for another thread to look at', async (t) => {
    const { port, heard } = await stage(t, {});
    const socket = createSocket('udp4');
    // A question that asks for nothing, and what is no packet of DNS at all.
    const packets = [Buffer.alloc(12), Buffer.from('x')];
    const flood = setInterval(() => packets.forEach((packet) => socket.send(packet, port, '127.0.0.1')), 1);
    t.after(() => {
      clearInterval(flood);
      socket.close();
    });
    assert.deepEqual(await heard(), []);
  });
});

/** A port of multicast DNS that no other test has: other peers of this machine stay out of it. */
let nextPort = 20_000 + (process.pid % 10_000);

async function stage(t: TestContext, { sites = [] }: { sites?: readonly (string | undefined)[] }) {
  const layout = new Layout(mkdtempSync(join(tmpdir(), 'moss-scout-')));
  t.after(() => rmSync(layout.root, { recursive: true, force: true }));
  mkdirSync(layout.repositories, { recursive: true });
  const repositories = new RepositoryConfigs(layout);
  for (const [i, hints] of sites.entries()) {
    const server = createServer((_, response) => void (hints === undefined ? response.writeHead(404).end() : response.end(hints)));
    t.after(() => server.close());
    repositories.reserve(`site-${i}`);
    repositories.write({ name: `site-${i}`, urls: [await listen(server)] });
  }
  const book = new PeerBook(join(layout.peer, 'peers.sqlite'));
  t.after(() => book.close());
  const port = nextPort++;
  const start = (onSomebody: (addresses: readonly string[]) => void, onSilence: () => void): void => {
    const scout = new Scout({ layout, port, onSomebody, onSilence });
    t.after(() => scout.stop());
    scout.start().catch((error: unknown) => assert.fail(String(error)));
  };
  return {
    book,
    port,
    /** What is known once sites have answered. */
    watch: (): Promise<'silence' | readonly string[]> => new Promise((resolve) => start(resolve, () => resolve('silence'))),
    /** What the network says in the end. */
    heard: (): Promise<readonly string[]> => new Promise((resolve) => start(resolve, () => undefined)),
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
