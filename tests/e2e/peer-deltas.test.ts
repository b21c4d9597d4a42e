/** Deltas on request, on real sockets: a repository that has none, a peer with both versions, and one that updates. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { encodeMessage } from '../../core/exchange/wire/encode.ts';
import { Decoder, FROM_ASKER } from '../../core/exchange/wire/decode.ts';
import type { Item, Message } from '../../core/exchange/wire/message.ts';
import type { Cid } from '../../core/dag/cid.ts';
import type { StreamHandler } from '../../core/ports/transport.ts';
import { debianPairs, type Pair } from '../bench/pairs.ts';
import { SkippedError } from '../bench/programs.ts';
import { makeRepository, noise, temporaryDirectory, type Repository } from './fixture.ts';
import { document, mossDone, type Ran } from './moss.ts';
import { hintsOf, startDaemon, startHost, type RunningDaemon } from './peer-hosts.ts';
import { visibleSystem } from './root-snapshot.ts';
import { startWebServer, type WebServer } from './web-server.ts';
import { alterStored, writeVersion } from './versions.ts';

interface Ledger {
  webseed: number;
  lan: number;
  delta: number;
}

/** A repository without deltas, with a machine that shares both versions of a package, and one that has the first. */
class Scene {
  readonly #path: string;
  readonly #name: string;
  #repository: Repository | undefined;
  #server: WebServer | undefined;
  #daemon: RunningDaemon | undefined;
  /** All but the number of the state, as a fresh installation has it. */
  fresh: string[] = [];
  /** Peers that the web server tells of. */
  peers: readonly string[] = [];

  constructor(path: string, name: string) {
    this.#path = path;
    this.#name = name;
  }

  get server(): WebServer {
    assert.ok(this.#server);
    return this.#server;
  }

  get daemonAddresses(): string[] {
    return this.#daemon?.addresses ?? [];
  }

  async begin(old: string, next: string): Promise<void> {
    this.#repository = await makeRepository(this.#path, [old]);
    this.#server = await startWebServer(this.#repository.site);
    for (const name of ['both', 'old']) {
      const root = join(this.#path, name);
      await this.#add(root);
      await mossDone(['install', this.#name, '--yes'], { root });
    }
    await mossDone(['publish', this.#repository.directory, next, '--deltas', '0']);
    const both = join(this.#path, 'both');
    await mossDone(['sync', '--yes'], { root: both });
    this.fresh = tree(both);
    this.#daemon = await startDaemon(both);
    this.peers = this.daemonAddresses;
  }

  async #add(root: string): Promise<void> {
    assert.ok(this.#repository);
    await mossDone(['repo', 'add', 'test', this.server.url, '--fingerprint', this.#repository.fingerprint, '--yes'], { root });
    await mossDone(['share', 'on', '--scope', 'lan', '--yes'], { root });
  }

  /** A machine with the first version, which is brought up to date. @param prepare what is done to it before */
  async update(prepare: (root: string) => void | Promise<void> = () => undefined): Promise<{ root: string; ran: Ran; ledger: Ledger; requested: number }> {
    const root = join(this.#path, 'client');
    rmSync(root, { recursive: true, force: true });
    cpSync(join(this.#path, 'old'), root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await prepare(root);
    this.server.requests.length = 0;
    this.server.behave = (path) => {
      if (path === '/moss.json') return { do: 'bytes', change: () => hintsOf(this.peers) };
      // A line on which bytes are worth some time, and on which a peer is found before the first file would come.
      return path.startsWith('/blocks/') ? { do: 'delay', ms: 600 } : undefined;
    };
    const ran = await mossDone(['sync', '--yes', '--json'], { root });
    const site = this.#repository?.site ?? '';
    const requested = this.server.requests.filter((path) => path.startsWith('/blocks/')).reduce((sum, path) => sum + (statSync(join(site, path), { throwIfNoEntry: false })?.size ?? 0), 0);
    return { root, ran, ledger: document(ran)['ledger'] as unknown as Ledger, requested };
  }

  /** The honest peer goes. */
  async leave(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  async end(): Promise<void> {
    await this.leave();
    await this.#server?.close();
  }
}

function tree(root: string): string[] {
  return visibleSystem(root).filter((line) => !line.startsWith('current '));
}

function frames(ran: Ran): number {
  return (document(ran)['ways'] as unknown as { frames: number }).frames;
}

/** What peers answer who are asked for a delta; nothing where they stay silent. */
type Lie = (base: Cid, item: Item) => Buffer | undefined;

const LIES: Readonly<Record<string, Lie>> = {
  'a bomb': () => zstdCompressSync(Buffer.alloc(200 * 1024 * 1024)),
  'other bytes of the right size': (_, { maxBytes }) => zstdCompressSync(Buffer.alloc(maxBytes, 7)),
  'deltas against another dictionary': (_, { maxBytes }) => zstdCompressSync(noise(1000, 5).subarray(0, maxBytes), { dictionary: noise(100_000, 5) }),
  'what is no zstd': () => Buffer.from('no zstd at all'),
  nothing: () => undefined,
};
const HONEST: ReadonlySet<string> = new Set(['nothing']);

describe('an update from a repository without deltas', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('peer-deltas');
  const scene = new Scene(path, 'app');
  before(() => scene.begin(writeVersion(path, 1), writeVersion(path, 2)));
  after(async () => {
    await scene.end();
    remove();
  });

  let reached = 0;

  it('comes as deltas from a peer that has both versions, for a small part of the bytes', async () => {
    const { root, ran, ledger, requested } = await scene.update();
    assert.deepEqual(tree(root), scene.fresh);
    const whole = frames(ran);
    assert.ok(ledger.lan > 0 && ledger.lan + requested < whole / 10, `${ledger.lan} and ${requested} of ${whole} bytes`);
    assert.ok(ledger.delta > whole * 0.8, `${ledger.delta} bytes were saved`);
    assert.equal(ran.stderr.includes('"type":"warning"'), false, ran.stderr);
    await mossDone(['verify'], { root });
  });

  it('comes whole where nobody agreed to ask peers', async () => {
    const { root, ran, ledger, requested } = await scene.update(async (client) => void (await mossDone(['share', 'off', '--yes'], { root: client })));
    assert.deepEqual(tree(root), scene.fresh);
    assert.equal(ledger.lan, 0);
    assert.ok(requested >= frames(ran));
  });

  it('leaves out what starts from a file that was altered, though size and time are as they were', async () => {
    const { root, ran, ledger, requested } = await scene.update((client) => alterStored(client, 'usr/bin/app'));
    assert.deepEqual(tree(root), scene.fresh);
    assert.match(ran.stderr, /altered on this machine/);
    assert.ok(ledger.lan + requested > 250_000, 'the program came whole');
    assert.deepEqual(await banned(root), [], 'nobody is blamed');
  });

  for (const [what, lie] of Object.entries(LIES)) {
    it(`is whole and right with a peer alone that sends ${what}`, async () => {
      await scene.leave();
      let asked = 0;
      const liar = await startHost(liarThat((...about) => {
        asked++;
        return lie(...about);
      }));
      try {
        scene.peers = liar.addresses.map(String);
        const { root, ran, requested } = await scene.update();
        assert.deepEqual(tree(root), scene.fresh);
        await mossDone(['verify'], { root });
        assert.ok(requested > frames(ran) / 2, 'what the liar did not bring came whole');
        // On a busy machine nobody may be found in time.
        assert.deepEqual(await banned(root), HONEST.has(what) || asked === 0 ? [] : [liar.id]);
        reached += Math.min(asked, 1);
      } finally {
        await liar.stop();
      }
    });
  }

  it('has met such peers', () => assert.ok(reached > 0));
});

async function banned(root: string): Promise<string[]> {
  const { peers } = document(await mossDone(['peers', '--all', '--json'], { root })) as unknown as { peers: { id: string; banned: unknown }[] };
  return peers.filter((peer) => peer.banned !== null).map(({ id }) => id);
}

/** A peer that says that it has all files and makes deltas, and has nothing but what `lie` makes. */
function liarThat(lie: Lie): StreamHandler {
  return async (stream) => {
    const decoder = new Decoder(FROM_ASKER);
    const say = (message: Message): Promise<void> => stream.write(encodeMessage(message));
    await say({ type: 'hello', version: 1, frames: false, files: true, deltas: true, news: false, zstd: false, runs: false, maxOpen: 4096, repositories: [] });
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) {
      for (const message of decoder.push(chunk)) {
        if (message.type === 'query') await say({ type: 'miss', numbers: message.items.map(({ number }) => number) });
        if (message.type !== 'want') continue;
        for (const item of message.items) {
          const bytes = message.base === undefined ? undefined : lie(message.base, item);
          if (item.wanted.kind !== 'delta') await say({ type: 'miss', numbers: [item.number] });
          else if (bytes !== undefined) await say({ type: 'data', number: item.number, encoding: 'zstd+base', plain: item.maxBytes, length: Math.min(item.maxBytes, bytes.length), at: 0, bytes: bytes.subarray(0, Math.min(item.maxBytes, 65_536)) });
        }
      }
    }
  };
}

describe('an update of a real package from a repository without deltas', { timeout: 600_000 }, () => {
  it('fetches a small part of it', async (context) => {
    const pair = await realPair(context);
    if (pair === undefined) return;
    const { path, remove } = temporaryDirectory('peer-deltas-real');
    const scene = new Scene(path, pair.name);
    try {
      await scene.begin(unpacked(path, pair.name, pair.old, 1), unpacked(path, pair.name, pair.next, 2));
      const { root, ran, ledger, requested } = await scene.update();
      assert.deepEqual(tree(root), scene.fresh);
      const whole = frames(ran);
      context.diagnostic(`${pair.name}: ${whole} bytes of frames; ${ledger.lan} came from the peer, ${requested} from the web server, with the index and the manifest`);
      assert.ok(ledger.lan + requested < whole / 4);
      await mossDone(['verify'], { root });
    } finally {
      await scene.end();
      remove();
    }
  });
});

/** The files of a `.deb` as a package that depends on nothing. */
function unpacked(parent: string, name: string, deb: string, version: number): string {
  const directory = join(parent, `${name}-${version}`);
  execFileSync('dpkg-deb', ['-x', deb, directory]);
  writeFileSync(join(directory, 'moss.toml'), `[package]\nname = "${name}"\nversion = "${version}"\nsummary = "A real one"\nprefix = ""\n`);
  return directory;
}

/** A package and its security update, as Debian has them. */
async function realPair(context: TestContext): Promise<Pair | undefined> {
  try {
    const { pairs } = await debianPairs(process.env['MOSS_TEST_DEBS'] ?? join(tmpdir(), 'moss-test-debs'), 'security', 1);
    return pairs[0];
  } catch (error) {
    if (!(error instanceof SkippedError)) throw error;
    context.skip(error.message);
    return undefined;
  }
}
