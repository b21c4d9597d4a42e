import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock, sameBytes, type Block } from '../../../core/dag/block.ts';
import { cidOf, parseCid, RAW } from '../../../core/dag/cid.ts';
import { fileIdFromLeaves, LEAF_SIZE } from '../../../core/dag/file-id.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import { PeerSource, type PeerSourceOptions } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer, SERVER_LIMITS, type ServerOptions } from '../../../core/exchange/server.ts';
import { Decoder, FROM_ASKER } from '../../../core/exchange/wire/decode.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { Link, MemoryPeer, type MemoryPeerOptions } from '../../../core/memory/stream.ts';
import type { Stream } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeCompressor } from '../../../node/zstd.ts';

const random = new SeededRandom(4);
const BLOCKS: Block[] = await Promise.all(Array.from({ length: 30 }, (_, i) => rawBlock(random.bytes(1000 + i * 9000), nodeHasher)));
const TEXT = await rawBlock(new TextEncoder().encode('all work and no play makes a dull boy\n'.repeat(200)), nodeHasher);
const LARGE = random.bytes(2 * LEAF_SIZE + 1234);
const LEAVES = [0, 1, 2].map((i) => nodeHasher.sha256(LARGE.subarray(i * LEAF_SIZE, (i + 1) * LEAF_SIZE)));
const LARGE_ID = parseCid(await fileIdFromLeaves(LEAVES, LARGE.length, nodeHasher));

interface Pair {
  clock: VirtualClock;
  holdings: MemoryHoldings;
  server: ExchangeServer;
  peer: MemoryPeer;
  source: PeerSource;
  /** Bytes that came from the server. */
  line: Link;
}

function pair(options: { peer?: Partial<MemoryPeerOptions>; source?: Partial<PeerSourceOptions>; server?: Partial<ServerOptions> } = {}): Pair {
  const clock = new VirtualClock();
  const holdings = new MemoryHoldings();
  for (const { cid, bytes } of BLOCKS) holdings.addBlock(cid, bytes);
  holdings.addFile(TEXT.cid, TEXT.bytes);
  holdings.addFile(LARGE_ID, LARGE, LEAVES);
  const server = new ExchangeServer({ holdings, clock, compressor: nodeCompressor, ...options.server });
  const line = new Link(100_000_000);
  const peer = new MemoryPeer({ id: 'peer', clock, handler: server.handle, latency: 5, back: [line], ...options.peer });
  const source = new PeerSource({ peer, clock, compressor: nodeCompressor, ...options.source });
  return { clock, holdings, server, peer, source, line };
}

/** How many items each want has that is sent to a peer. */
function wantsTo(peer: MemoryPeer): number[] {
  const asked: number[] = [];
  const open = peer.open.bind(peer);
  peer.open = async (options) => {
    const stream = await open(options);
    const decoder = new Decoder(FROM_ASKER);
    const write: Stream['write'] = (bytes) => {
      for (const message of decoder.push(bytes)) if (message.type === 'want') asked.push(message.items.length);
      return stream.write(bytes);
    };
    return { ...stream, write };
  };
  return asked;
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof MossError && error.code === code;
}

describe('a peer that is asked', () => {
  it('answers many wants on one stream, each with the bytes that were asked for', async () => {
    const { clock, source, peer } = pair();
    const got = await clock.run(Promise.all(BLOCKS.map(({ cid, bytes }) => source.get({ cid, maxBytes: bytes.length }))));
    assert.deepEqual(got, BLOCKS.map(({ bytes }) => bytes));
    assert.equal(peer.opened, 1);
  });

  it('begins to answer after one round trip on an open stream', async () => {
    const { clock, source } = pair();
    await clock.run(source.greet());
    const [block] = BLOCKS;
    assert.ok(block);
    const before = clock.now();
    await clock.run(source.get({ cid: block.cid, maxBytes: 2000 }));
    assert.ok(clock.now() - before < 11, `${clock.now() - before} ms`);
  });

  it('gives a large file by its links and leaves', async () => {
    const { clock, source } = pair();
    const links = await clock.run(source.getLinks(LARGE_ID, 3));
    assert.deepEqual(links, new Uint8Array(Buffer.concat(LEAVES)));
    const leaves = await clock.run(Promise.all([LEAF_SIZE, LEAF_SIZE, 1234].map((bytes, i) => source.getLeaf(LARGE_ID, i, bytes))));
    assert.deepEqual(Buffer.concat(leaves), Buffer.from(LARGE));
  });

  it('gives an empty file', async () => {
    const { clock, source, holdings } = pair();
    const empty = await rawBlock(new Uint8Array(0), nodeHasher);
    holdings.addFile(empty.cid, empty.bytes);
    assert.equal((await clock.run(source.get({ cid: empty.cid, maxBytes: 0 }))).length, 0);
  });

  it('says that it does not have what is not listed, and goes on', async () => {
    const { clock, source } = pair();
    await assert.rejects(clock.run(source.get({ cid: cidOf(RAW, new Uint8Array(32)), maxBytes: 10 })), hasCode('no-source'));
    await assert.rejects(clock.run(source.getLeaf(LARGE_ID, 3, LEAF_SIZE)), hasCode('no-source'));
    assert.equal((await clock.run(source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length }))).length, TEXT.bytes.length);
  });

  it('does not have what is larger than the want allows', async () => {
    const { clock, source } = pair();
    await assert.rejects(clock.run(source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length - 1 })), hasCode('no-source'));
  });

  it('says which of many things it has', async () => {
    const { clock, source } = pair();
    const wanted = [TEXT.cid, cidOf(RAW, new Uint8Array(32)), BLOCKS[3]?.cid ?? TEXT.cid].map((cid) => ({ kind: 'block' as const, cid }));
    assert.deepEqual(await clock.run(source.has(wanted)), [true, false, true]);
  });

  it('says whether it has frames or files', async () => {
    const { clock, source } = pair();
    await clock.run(source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length }));
    assert.equal(source.holds?.frames, true);
    assert.equal(source.holds?.files, true);
  });

  it('compresses for the swarm what gains by it, and nothing on a local network', async () => {
    const compressed = pair({ peer: { scope: 'swarm' } });
    assert.ok(sameBytes(await compressed.clock.run(compressed.source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length })), TEXT.bytes));
    assert.ok(compressed.line.carried < TEXT.bytes.length / 10);
    const plain = pair({ peer: { scope: 'lan' } });
    await plain.clock.run(plain.source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length }));
    assert.ok(plain.line.carried > TEXT.bytes.length);
  });

  it('compresses against a dictionary that both have, and without where it has not got it', async () => {
    const bytes = random.bytes(3000);
    const file = await rawBlock(Uint8Array.from([...bytes, 33]), nodeHasher);
    const dictionary = { sha256: nodeHasher.sha256(bytes), bytes };
    for (const known of [true, false]) {
      const { clock, source, holdings, line } = pair({ peer: { scope: 'swarm' } });
      holdings.addFile(file.cid, file.bytes);
      if (known) holdings.addFile(cidOf(RAW, dictionary.sha256), bytes);
      const got = await clock.run(source.ask({ wanted: { kind: 'block', cid: file.cid }, maxBytes: file.bytes.length, dictionary }));
      assert.ok(sameBytes(got, file.bytes));
      assert.equal(line.carried < 300, known);
    }
  });

  it('sends nothing more of what was cancelled', async () => {
    const { clock, source, line } = pair({ peer: { back: [new Link(1_000_000)] } });
    const controller = new AbortController();
    const leaf = source.getLeaf(LARGE_ID, 0, LEAF_SIZE, { signal: controller.signal });
    leaf.catch(() => undefined);
    await clock.run(clock.sleep(150));
    controller.abort(new MossError('aborted', 'stop'));
    await assert.rejects(clock.run(leaf), hasCode('aborted'));
    await clock.run(source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length }));
    await clock.run(clock.sleep(5000));
    assert.ok(line.carried < LEAF_SIZE);
  });

  it('is never asked for more at once than it allows: the rest waits', async () => {
    const { clock, source, server } = pair({ peer: { back: [new Link(1_000_000)] } });
    const [block] = BLOCKS;
    assert.ok(block);
    const work = Promise.all(Array.from({ length: SERVER_LIMITS.open + 1500 }, () => source.get({ cid: block.cid, maxBytes: 2000 })));
    await clock.run(clock.sleep(200));
    assert.ok(server.open > SERVER_LIMITS.open / 2 && server.open <= SERVER_LIMITS.open, `${server.open}`);
    assert.equal((await clock.run(work)).length, SERVER_LIMITS.open + 1500);
  });

  it('is asked for many small things with few messages, and does not run out of work meanwhile', async () => {
    const { clock, source, peer, server } = pair({ peer: { back: [new Link(1_000_000)] } });
    const asked = wantsTo(peer);
    const block = BLOCKS[1];
    assert.ok(block);
    let [rest, least] = [1000, Infinity];
    const lane = async (): Promise<void> => {
      while (rest-- > 0) {
        await source.get({ cid: block.cid, maxBytes: block.bytes.length });
        if (rest > 200) least = Math.min(least, server.open);
      }
    };
    await clock.run(Promise.all(Array.from({ length: 200 }, lane)));
    assert.equal(asked.reduce((sum, items) => sum + items, 0), 1000);
    assert.ok(asked.length <= 40, `${asked.length} messages`);
    assert.ok(least >= 100, `${least} open`);
  });

  it('is told at once what is asked beside many wants', async () => {
    const { clock, source, peer } = pair({ peer: { back: [new Link(1_000_000)] } });
    const asked = wantsTo(peer);
    const block = BLOCKS[1];
    assert.ok(block);
    const gets = Array.from({ length: 100 }, () => source.get({ cid: block.cid, maxBytes: block.bytes.length }));
    await clock.run(clock.sleep(50));
    gets.push(source.get({ cid: block.cid, maxBytes: block.bytes.length }));
    const known = source.has([{ kind: 'block', cid: block.cid }]);
    await clock.run(clock.sleep(30));
    assert.deepEqual(asked, [100, 1]);
    assert.deepEqual(await clock.run(known), [true]);
    await clock.run(Promise.all(gets));
  });

  it('gives the streams of a vanished peer up, and finds it again', async () => {
    const { clock, source, peer } = pair();
    await clock.run(source.greet());
    peer.vanish();
    await assert.rejects(clock.run(source.get({ cid: TEXT.cid, maxBytes: TEXT.bytes.length })), hasCode('source-failed'));
  });

  it('ends what is being opened when it is closed', async () => {
    const opening = Promise.withResolvers<never>();
    const { clock } = pair();
    const source = new PeerSource({
      clock,
      peer: {
        id: 'silent',
        scope: 'swarm',
        transport: 'webrtc',
        open: ({ signal } = {}) => {
          signal?.addEventListener('abort', () => opening.reject(signal.reason));
          return opening.promise;
        },
      },
    });
    const greeted = source.greet();
    source.close();
    // Not `aborted`, which would end all that asked it, and not this peer alone.
    await assert.rejects(greeted, { code: 'source-failed' });
    await assert.rejects(clock.run(source.greet()), { code: 'source-failed' });
  });

  it('ends streams when it is closed', async () => {
    const { clock, source, server } = pair();
    await clock.run(source.greet());
    const get = source.getLeaf(LARGE_ID, 0, LEAF_SIZE);
    get.catch(() => undefined);
    await clock.run(clock.sleep(7));
    server.close(new MossError('aborted', 'no more'));
    await assert.rejects(clock.run(get));
    await clock.run(clock.sleep(100));
    assert.equal(server.streams, 0);
    assert.equal(server.open, 0);
  });

});
