/** Machines behind routers: real address translation in network namespaces, real daemons, and packages that go from one to the other. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { cidOf, RAW } from '../../core/dag/cid.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { makeRepository, noise, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { until } from './installer.ts';
import { document, ENVIRONMENT, mossDone, START, type MossOptions } from './moss.ts';
import { behindNat, noNat } from './nat.ts';
import { Network, type Machine } from './network.ts';

const LARGE = 6_000_000;
/** Nowhere else but in these namespaces: libp2p speaks to public addresses otherwise than to private ones. */
const NET = '45.145.77';
/** Bytes that a relay carries for two who meet, at most: see node/peer/swarm.ts. */
const RELAYED = 128 * 1024;

interface Status {
  peer: string;
  addresses: string[];
  reachable: string;
  table: string;
}

interface KnownPeer {
  id: string;
  connected: boolean;
  transport: string | null;
}

describe('machines behind routers', { timeout: 600_000, skip: noNat() ?? false }, () => {
  const { path, remove } = temporaryDirectory('nat');
  let network: Network;
  let repository: Repository;
  let site: Machine;
  let server: Machine;
  let home: Machine;
  let cafe: Machine;
  let phone: Machine;

  const rootOf = ({ name }: Machine): string => join(path, name);
  const of = (machine: Machine): MossOptions => ({ root: rootOf(machine), prefix: machine.prefix });
  const isLarge = (machine: Machine): boolean => readFileSync(join(rootOf(machine), 'usr/lib/suite/large.bin')).equals(noise(LARGE, 'suite'.length * 7919 + '1.0'.length));

  async function takePart(machine: Machine): Promise<void> {
    await mossDone(['repo', 'add', 'test', `http://${site.address}:8787`, '--fingerprint', repository.fingerprint, '--yes'], of(machine));
    await mossDone(['share', 'on', '--scope', 'swarm', '--yes'], of(machine));
    await mossDone(['config', 'set', 'swarm-serves', 'installed'], of(machine));
  }

  async function startDaemon(machine: Machine): Promise<void> {
    const daemon = network.start(machine, [process.execPath, START, 'daemon', '--foreground', '-D', rootOf(machine)], ENVIRONMENT);
    await once(daemon.stdout ?? daemon, 'data');
  }

  async function statusOf(machine: Machine): Promise<Status> {
    return document(await mossDone(['share', 'status', '--json'], of(machine)))['daemon'] as Status;
  }

  /** Waits until a daemon knows how it is reached, and what it is to the hash table. */
  async function knows(machine: Machine, reachable: string, table: string): Promise<string[]> {
    let status: Status | undefined;
    const isThere = async (): Promise<boolean> => {
      status = await statusOf(machine);
      return status.reachable === reachable && status.table === table;
    };
    await until(isThere, () => `${machine.name}, reached ${reachable}, as a ${table}: ${JSON.stringify(status)}`);
    return status?.addresses ?? [];
  }

  /** Waits until two are connected to each other. @returns by which transport */
  async function connected(machine: Machine, id: string): Promise<string | null> {
    let peer: KnownPeer | undefined;
    await until(async () => {
      const peers = document(await mossDone(['peers', '--json'], of(machine)))['peers'] as KnownPeer[];
      peer = peers.find((each) => each.id === id && each.connected);
      return peer !== undefined;
    }, `${machine.name} and ${id}`);
    return peer?.transport ?? null;
  }

  /** Bytes that came from each source. */
  async function install(machine: Machine): Promise<Record<string, number>> {
    return document(await mossDone(['install', 'suite', '--yes', '--json'], of(machine)))['sources'] as Record<string, number>;
  }

  before(async () => {
    network = new Network('nat', { net: NET });
    repository = await makeRepository(path, [writePackage(path, { name: 'suite', small: 50, large: LARGE })]);
    site = network.machine('site');
    server = network.machine('server');
    home = behindNat(network, 'home', 'keeps');
    cafe = behindNat(network, 'cafe', 'keeps');
    phone = behindNat(network, 'phone', 'changes');
    const relay = network.start(site, [process.execPath, START, 'serve', repository.directory, '--host', site.address, '--port', '8787', '--relay'], { ...ENVIRONMENT, XDG_STATE_HOME: path });
    await once(relay.stdout ?? relay, 'data');
    await Promise.all([server, home, cafe, phone].map(takePart));
    await install(home);
    await startDaemon(home);
    // From now on a peer is worth asking.
    network.shape(site, { rate: '4mbit' });
  });

  after(async () => {
    await network?.remove();
    remove();
  });

  test('one behind a router learns that nobody can dial it, has a place at the relay, and only asks the hash table', async () => {
    const addresses = await knows(home, 'by-relay', 'client');
    const outside = addresses.filter((address) => address.includes(NET));
    assert.ok(outside.length > 0);
    for (const address of outside) assert.match(address, /\/p2p-circuit\//);
  });

  test('one with an address of its own learns that it can be dialled, and serves the hash table', async () => {
    await startDaemon(server);
    const addresses = await knows(server, 'directly', 'server');
    assert.ok(addresses.some((address) => address.startsWith(`/ip4/${server.address}/tcp/`)));
  });

  test('one that can be dialled and meets it by way of the relay is dialled back, over TCP', async () => {
    const visitor = network.machine('visitor');
    const { peer, addresses } = await statusOf(home);
    const [, relay = ''] = /^(.*\/tcp\/\d+\/p2p\/[^/]+)\/p2p-circuit\/p2p/.exec(addresses.find((each) => /\/tcp\/\d+\/p2p\/[^/]+\/p2p-circuit\/p2p/.test(each)) ?? '') ?? [];
    const file = readFileSync(join(rootOf(home), 'usr/share/suite/text-40.txt'));
    const cid = cidOf(RAW, nodeHasher.sha256(file)).toString();
    const [program = '', ...args] = [...visitor.prefix, process.execPath, join(import.meta.dirname, 'visitor.ts'), visitor.address, relay, peer, cid];
    const { stdout } = await promisify(execFile)(program, args, { env: ENVIRONMENT, timeout: 300_000 });
    assert.deepEqual(JSON.parse(stdout), { direction: 'inbound', transport: 'tcp', bytes: file.length });
  });

  test('one with an address of its own takes a package from it', async () => {
    const { peer } = await statusOf(home);
    await connected(server, peer);
    const sources = await install(server);
    assert.ok((sources[peer] ?? 0) > LARGE / 2, JSON.stringify(sources));
    assert.ok(isLarge(server));
  });

  test('two behind routers that keep their ports punch a hole, and one takes a package from the other', async () => {
    // Of all peers, the one behind the other router is to be asked.
    network.unplug(server);
    await startDaemon(cafe);
    const { peer } = await statusOf(home);
    assert.equal(await connected(cafe, peer), 'webrtc');
    const sources = await install(cafe);
    assert.ok((sources[peer] ?? 0) > LARGE / 2, JSON.stringify(sources));
    assert.ok(isLarge(cafe));
    network.plug(server);
  });

  test('where no hole can be punched nothing of a package goes over the relay, and the web server brings it', async () => {
    for (const machine of [server, cafe]) network.unplug(machine);
    network.shape(site, { rate: '40mbit' });
    await startDaemon(phone);
    await knows(phone, 'by-relay', 'client');
    const sentBefore = sentBy(home);
    const sources = await install(phone);
    const { peer } = await statusOf(home);
    assert.equal(sources[peer], undefined);
    assert.ok(isLarge(phone));
    const sent = sentBy(home) - sentBefore;
    assert.ok(sent < RELAYED, `${sent} bytes were sent by the one who has it`);
    // Whatever its addresses are by now, among them one that leads by way of the relay to WebRTC.
    const { table, addresses } = await statusOf(home);
    assert.equal(table, 'client');
    assert.ok(addresses.some((address) => address.includes('/p2p-circuit/webrtc')));
  });
});

/** Bytes that a machine put on its cable so far. */
function sentBy({ prefix }: Machine): number {
  const [program = '', ...args] = [...prefix, 'cat', '/sys/class/net/eth0/statistics/tx_bytes'];
  return Number(execFileSync(program, args, { encoding: 'utf8' }));
}
