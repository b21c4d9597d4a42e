/** An office: one web server far away, eight machines on one network, each with its own daemon. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeRepository, noise, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { document, ENVIRONMENT, moss, mossDone, START, type Ran } from './moss.ts';
import { Network, noNetwork, type Machine } from './network.ts';

const MACHINES = 8;
const LARGE = 6_000_000;
const skip = noNetwork();

interface Ledger {
  webseed: number;
  lan: number;
  swarm: number;
}

describe('an office', { timeout: 400_000, skip: skip ?? false }, () => {
  const { path, remove } = temporaryDirectory('office');
  let network: Network;
  let origin: Machine;
  let repository: Repository;
  const machines: Machine[] = [];

  const rootOf = ({ name }: Machine): string => join(path, name);
  const on = (machine: Machine, ...args: string[]): Promise<Ran> => mossDone([...args, '--yes'], { root: rootOf(machine), prefix: machine.prefix, limit: 120_000 });

  async function install(machine: Machine, name: string): Promise<Ledger> {
    const { ledger } = document(await on(machine, 'install', name, '--json'));
    return ledger as unknown as Ledger;
  }

  before(async () => {
    network = new Network('office');
    repository = await makeRepository(path, [
      writePackage(path, { name: 'suite', depends: ['part'], small: 200, large: LARGE }),
      writePackage(path, { name: 'part', small: 100 }),
      writePackage(path, { name: 'later', small: 50, large: 2_000_000 }),
    ]);
    // 16 Mbit a second, as an office's line may be.
    origin = network.machine('origin', { rate: '16mbit', delay: 15 });
    const server = network.start(origin, [process.execPath, START, 'serve', repository.directory, '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    await once(server.stdout ?? server, 'data');
    for (let i = 1; i <= MACHINES; i++) {
      const machine = network.machine(`m${i}`);
      machines.push(machine);
      await on(machine, 'repo', 'add', 'test', `http://${origin.address}:8787`, '--fingerprint', repository.fingerprint);
      await on(machine, 'share', 'on', '--scope', 'lan');
    }
  });

  after(async () => {
    await network?.remove();
    remove();
  });

  test('the second to eighth machine take at least nine tenths from the others', async () => {
    for (const [i, machine] of machines.entries()) {
      const { webseed, lan } = await install(machine, 'suite');
      const daemon = network.start(machine, [process.execPath, START, 'daemon', '--foreground', '-D', rootOf(machine)], ENVIRONMENT);
      await once(daemon.stdout ?? daemon, 'data');
      if (i === 0) assert.equal(lan, 0);
      else assert.ok(lan / (lan + webseed) >= 0.9, `machine ${i + 1}: ${lan} of ${lan + webseed} bytes from the local network`);
      assert.ok(readFileSync(join(rootOf(machine), 'usr/lib/suite/large.bin')).equals(noise(LARGE, 'suite'.length * 7919 + '1.0'.length)));
    }
  });

  test('each knows the others, and what went to and fro', async () => {
    const [first] = machines;
    assert.ok(first);
    const peers = document(await on(first, 'peers', '--json'))['peers'] as { connected: boolean; scope: string; sent: number }[];
    assert.equal(peers.filter(({ connected, scope }) => connected && scope === 'lan').length, MACHINES - 1);
    const status = document(await on(first, 'share', 'status', '--json'))['daemon'] as { pid: number };
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${status.pid}/status`, 'utf8'))?.[1]) * 1024;
    assert.ok(resident < 300_000_000, `${resident} bytes`);
  });

  test('with the web server cut off after the first install, the rest still install', async () => {
    const [first, ...rest] = machines;
    assert.ok(first);
    await install(first, 'later');
    network.unplug(origin);
    for (const machine of rest) {
      const { webseed, lan } = await install(machine, 'later');
      assert.equal(webseed, 0);
      assert.ok(lan > 2_000_000);
    }
  });

  test('with nobody left, an install is exit 75, the old state is whole, and a later run goes on', async () => {
    const lonely = network.machine('lonely');
    mkdirSync(rootOf(lonely));
    const [first] = machines;
    assert.ok(first);
    // What a machine knows that added the repository while the web server was there.
    await on(first, 'state', 'list');
    for (const machine of machines) network.unplug(machine);
    const second = machines[1];
    assert.ok(second);
    const states = readdirSync(join(rootOf(second), '.moss/states')).length;
    await mossDone(['remove', 'later', '--yes'], { root: rootOf(second), prefix: second.prefix });
    await mossDone(['state', 'prune', '--keep', '1', '--yes'], { root: rootOf(second), prefix: second.prefix });
    const failed = await moss(['install', 'later', '--yes', '--json'], { root: rootOf(second), prefix: second.prefix, limit: 120_000 });
    assert.equal(failed.status, 75, failed.stdout + failed.stderr);
    assert.ok(states >= 1);
    assert.equal(statSync(join(rootOf(second), 'usr/bin/suite')).isFile(), true);
    assert.equal(existsSync(join(rootOf(second), 'usr/bin/later')), false);
  });
});
