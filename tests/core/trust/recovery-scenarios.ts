import type { Scenario } from './scenario.ts';
import { republish, rewind } from './scenarios.ts';

/** Sources that never end, disks that lose bytes, and publishers who recover from a theft of keys. */

/** A network that sends as much as anybody will read, in the place of one file. */
function endlessly(file: string): NonNullable<Scenario['network']> {
  return (sim) => ({
    fetch: (name, maxBytes) => (name === file ? Promise.resolve(new Uint8Array(maxBytes + 1)) : sim.fetcher().fetch(name, maxBytes)),
  });
}

const endless: readonly Scenario[] = ['2.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json'].map((file) => ({
  name: `endless data in the place of ${file}`,
  when: republish,
  network: endlessly(file),
  expect: 'metadata-endless',
}));

const damaged: readonly Scenario[] = ['root', 'timestamp', 'snapshot', 'targets'].flatMap((role) =>
  [
    ['empty', (): Uint8Array => new Uint8Array(0)] as const,
    ['cut short', (bytes: Uint8Array): Uint8Array => bytes.slice(0, bytes.length / 2)] as const,
    ['of zeroes', (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.length)] as const,
  ].map(([how, change]): Scenario => ({
    name: `damage: ${role}.json on disk is ${how}`,
    given: (sim) => sim.publish('root'),
    when: republish,
    disk: (files) => files.set(`${role}.json`, change(files.get(`${role}.json`) ?? new Uint8Array(0))),
    expect: 'ok',
    told: ['local-damaged'],
    trusted: { root: 2, timestamp: 2, snapshot: 2, targets: 2 },
  })),
);

const recovery: readonly Scenario[] = [
  {
    name: 'fast-forward recovery of the timestamp, by a new key',
    given: (sim) => {
      sim.timestamp.version = 99;
      sim.put('timestamp');
    },
    when: (sim) => {
      sim.rotate('timestamp');
      sim.timestamp.version = 1;
      sim.publish('root');
      sim.put('timestamp');
    },
    expect: 'ok',
    told: ['keys-rotated'],
    trusted: { root: 2, timestamp: 1 },
  },
  {
    name: 'fast-forward recovery of the snapshot, by new keys of it and of the timestamp',
    given: (sim) => {
      sim.snapshot.version = 99;
      sim.put('snapshot');
      sim.publish('timestamp');
    },
    when: (sim) => {
      sim.rotate('snapshot');
      sim.rotate('timestamp');
      sim.snapshot.version = 1;
      sim.put('snapshot');
      sim.publish('root', 'timestamp');
    },
    expect: 'ok',
    told: ['keys-rotated'],
    trusted: { snapshot: 1 },
  },
  {
    name: 'fast-forward recovery of targets, by a new key of the snapshot',
    given: (sim) => {
      sim.targetsOf().version = 99;
      sim.put('targets');
      sim.publish('snapshot', 'timestamp');
    },
    when: (sim) => {
      sim.rotate('snapshot');
      sim.targetsOf().version = 1;
      sim.put('targets');
      sim.publish('root', 'snapshot', 'timestamp');
    },
    expect: 'ok',
    trusted: { targets: 1 },
  },
  {
    name: 'a key that is added opens no way back',
    given: republish,
    when: (sim) => {
      const [old] = sim.signers.get('timestamp') ?? [];
      sim.addKey('timestamp');
      sim.publish('root');
      rewind(sim, 'timestamp');
      if (old !== undefined) sim.signers.set('timestamp', [old]);
      sim.put('timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { root: 2, timestamp: 2 },
  },
];

export const RECOVERY_SCENARIOS: readonly Scenario[] = [...endless, ...damaged, ...recovery];
