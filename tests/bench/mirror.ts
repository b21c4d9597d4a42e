/**
 * Never slower than the web server alone: `moss install` with peers that are dead, silent, slow or lying, beside the same
 * without peers; and what an honest peer brings among all of these. In network namespaces, on real sockets.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import type { Machine } from '../e2e/network.ts';
import { freshDirectory } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';
import { ENVIRONMENT, PACKAGES, withServedLine, type ServedLine } from './served-line.ts';

/** Bits a second of the web server's line, and of an honest peer's; and of the web server's where the peer counts. */
const RATE = '100mbit';
const LITTLE = '10mbit';
/** What peers do to harm, by what it is called here. */
const HARM: Readonly<Record<string, readonly string[]>> = {
  dead: ['dead', 'dead', 'resets'],
  silent: ['the head of a block, and then nothing', 'the head of a block, and then nothing'],
  slow: ['a byte a second', 'a byte a second', 'busy for an hour'],
  lying: ['right sizes and wrong content', 'less than was asked for', 'zstd that is none', 'noise'],
};

export const bench: Bench = ({ cache, rounds, note }) =>
  withServedLine(cache, { name: 'mirror', names: PACKAGES }, async (line) => {
    const times: Record<string, number[]> = {};
    const measured = (name: string, ms: number): void => {
      (times[name] ??= []).push(ms);
      note(`${name}: ${(ms / 1000).toFixed(2)} s`);
    };
    const { network, origin, client, install } = line;
    const honest = await honestPeer(line);
    network.unplug(honest);
    network.shape(origin, { rate: RATE });
    await install(client, { share: false });
    for (let round = 0; round < rounds; round++) {
      measured('alone', await install(client, { share: false }));
      measured('absent', await install(client, { share: true }));
      for (const [name, kinds] of Object.entries(HARM)) measured(name, await among(line, `${name}${round}`, kinds));
    }
    network.shape(origin, { rate: LITTLE });
    network.plug(honest);
    // A peer looks for cables every 20 s: until then nobody hears of it.
    await install(client, { share: true });
    for (let round = 0; round < rounds; round++) {
      measured('honest', await install(client, { share: true }));
      measured('honest among liars', await among(line, `all${round}`, Object.values(HARM).flat()));
    }
    const of = (name: string): number => median(times[name] ?? []);
    const harmed = ['absent', ...Object.keys(HARM)];
    const all = harmed.flatMap((name) => times[name] ?? []).toSorted((a, b) => a - b);
    const p95 = all[Math.min(all.length - 1, Math.floor(all.length * 0.95))] ?? Number.NaN;
    return [
      { what: `moss install of ${PACKAGES.join(', ')} from a web server at ${RATE}, without peers`, value: of('alone') / 1000, unit: 's' },
      ...harmed.map((name): Figure => ({ what: `with ${name} peers ÷ without`, value: of(name) / of('alone'), unit: 'ratio' })),
      { what: `p95 of all ${all.length} of these ÷ without`, value: p95 / of('alone'), unit: 'ratio', goal: { most: 1.05 } },
      { what: `one honest peer at ${RATE}, and the web server at ${LITTLE}`, value: of('honest') / 1000, unit: 's' },
      { what: 'throughput with all of the harmful peers beside these ÷ without', value: of('honest') / of('honest among liars'), unit: 'ratio', goal: { least: 0.8 } },
    ];
  });

/** An installation among peers that harm, which are gone afterwards. */
async function among({ network, client, install }: ServedLine, name: string, kinds: readonly string[]): Promise<number> {
  const machine = network.machine(name);
  const peers = network.start(machine, [process.execPath, join(import.meta.dirname, 'bad-peers.ts'), ...kinds], ENVIRONMENT);
  await once(peers.stdout ?? peers, 'data');
  const ms = await install(client, { share: true });
  peers.kill('SIGKILL');
  network.unplug(machine);
  return ms;
}

/** A machine that has the packages, and shares them. */
async function honestPeer({ network, cache, moss, install }: ServedLine): Promise<Machine> {
  const machine = network.machine('honest');
  const root = freshDirectory(cache);
  await install(machine, { share: true, root });
  network.shape(machine, { rate: RATE });
  const daemon = network.start(machine, [process.execPath, moss, 'daemon', '--foreground', '-D', root], ENVIRONMENT);
  await once(daemon.stdout ?? daemon, 'data');
  return machine;
}
