/** An office: one web server at the end of a slow line, machines on one network, each with its own daemon. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { makeRepository, noise, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { until } from './installer.ts';
import { document, ENVIRONMENT, moss, mossDone, START, type MossOptions, type Ran } from './moss.ts';
import { Network, noNetwork, type Machine } from './network.ts';

const MACHINES = 8;
/** Of each of two packages: what is under way from the web server when a peer is found has to be little beside it. */
const LARGE = 20_000_000;
/** Of the one that comes in two runs: what is cut off in the middle of the first, a megabyte on each connection, is little beside it. */
const OTHER = 32_000_000;
const skip = noNetwork();

interface Ledger {
  webseed: number;
  lan: number;
}

describe('an office', { timeout: 400_000, skip: skip ?? false }, () => {
  const { path, remove } = temporaryDirectory('office');
  let network: Network;
  let origin: Machine;
  let repository: Repository;
  const machines: Machine[] = [];

  const rootOf = ({ name }: Machine): string => join(path, name);
  const of = (machine: Machine): MossOptions => ({ root: rootOf(machine), prefix: machine.prefix });
  const on = (machine: Machine, ...args: string[]): Promise<Ran> => mossDone([...args, '--yes'], of(machine));
  const at = (number: number): Machine => {
    const machine = machines[number - 1];
    assert.ok(machine);
    return machine;
  };

  async function prepare(all: Iterable<Machine>): Promise<void> {
    for (const machine of all) {
      await on(machine, 'repo', 'add', 'test', `http://${origin.address}:8787`, '--fingerprint', repository.fingerprint);
      await on(machine, 'share', 'on', '--scope', 'lan');
    }
  }

  async function install(machine: Machine, name: string): Promise<Ledger> {
    return ledgerOf(await on(machine, 'install', name, '--json'));
  }

  before(async () => {
    network = new Network('office');
    repository = await makeRepository(path, [
      // Two, since each is packed on a thread of its own.
      writePackage(path, { name: 'suite', depends: ['part'], small: 200, large: LARGE }),
      writePackage(path, { name: 'part', small: 100, large: LARGE }),
      writePackage(path, { name: 'later', small: 50, large: 2_000_000 }),
      writePackage(path, { name: 'last', small: 50, large: OTHER }),
    ]);
    origin = network.machine('origin');
    const server = network.start(origin, [process.execPath, START, 'serve', repository.directory, '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    await once(server.stdout ?? server, 'data');
    machines.push(...Array.from({ length: MACHINES }, (_, i) => network.machine(`m${i + 1}`)));
    const waiting = machines.values();
    // Two at a time: there may be no more processors.
    await Promise.all([prepare(waiting), prepare(waiting)]);
  });

  after(async () => {
    await network?.remove();
    remove();
  });

  test('all machines but the first take nine tenths from the others', async () => {
    const shares: number[] = [];
    const contents = ['suite', 'part'].map((name) => [name, noise(LARGE, name.length * 7919 + '1.0'.length)] as const);
    for (const machine of machines) {
      const { webseed, lan } = await install(machine, 'suite');
      // A slow line, so that it is the line that counts and not how busy this machine is.
      if (machine === at(1)) network.shape(origin, { rate: '4mbit' });
      const daemon = network.start(machine, [process.execPath, START, 'daemon', '--foreground', '-D', rootOf(machine)], ENVIRONMENT);
      await once(daemon.stdout ?? daemon, 'data');
      shares.push(lan / (lan + webseed));
      for (const [name, content] of contents) assert.ok(readFileSync(join(rootOf(machine), `usr/lib/${name}/large.bin`)).equals(content));
    }
    const [first, ...others] = shares;
    assert.equal(first, 0);
    const median = others.toSorted((a, b) => a - b)[others.length >> 1] ?? 0;
    assert.ok(median >= 0.9, `of the bytes came from the local network: ${shares.map((share) => share.toFixed(3)).join(', ')}`);
  });

  test('each knows the others', async () => {
    let connected = 0;
    for (let tries = 0; tries < 40 && connected < MACHINES - 1; tries++) {
      await setTimeout(250);
      const peers = document(await on(at(1), 'peers', '--json'))['peers'] as { connected: boolean; scope: string }[];
      connected = peers.filter((peer) => peer.connected && peer.scope === 'lan').length;
    }
    assert.equal(connected, MACHINES - 1);
  });

  test('with the web server cut off after the first install, the rest still install', async () => {
    network.shape(origin, { rate: '40mbit' });
    await install(at(1), 'later');
    // It is told by those who have it, and that takes a moment.
    await until(async () => (document(await on(at(1), 'share', 'status', '--json'))['daemon'] as { packages: number }).packages === 3, 'the first machine serves it');
    network.unplug(origin);
    for (const machine of machines.slice(1)) {
      const { webseed, lan } = await install(machine, 'later');
      assert.equal(webseed, 0);
      assert.ok(lan > 2_000_000);
    }
    network.plug(origin);
  });

  test('with nobody left in the middle it is exit 75 and the old state is whole; a later run goes on from there', async () => {
    for (const machine of machines) if (machine !== at(2)) network.unplug(machine);
    network.shape(origin, { rate: '80mbit' });
    await on(at(2), 'config', 'set', 'timeout', '2');
    let received = 0;
    const failed = await moss(['install', 'last', '--yes', '--json'], {
      ...of(at(2)),
      onStderr: (text) => {
        for (const [, bytes] of text.matchAll(/"type":"received".*?"bytes":(\d+)/g)) received += Number(bytes);
        if (received > OTHER * 0.7) network.unplug(origin);
      },
    });
    assert.equal(failed.status, 75, failed.stdout + failed.stderr);
    assert.equal(existsSync(join(rootOf(at(2)), 'usr/bin/suite')), true);
    assert.equal(existsSync(join(rootOf(at(2)), 'usr/bin/last')), false);
    network.plug(origin);
    const { webseed } = await install(at(2), 'last');
    assert.ok(webseed < OTHER - 8_000_000, `${webseed} bytes were fetched by the second run`);
    assert.ok(readFileSync(join(rootOf(at(2)), 'usr/lib/last/large.bin')).equals(noise(OTHER, 'last'.length * 7919 + '1.0'.length)));
  });
});

function ledgerOf(ran: Ran): Ledger {
  return document(ran)['ledger'] as Ledger;
}
