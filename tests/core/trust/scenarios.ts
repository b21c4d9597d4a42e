import type { Scenario } from './scenario.ts';
import { DAY, START, type Simulator, timeText } from './simulator.ts';

const ALL = ['root', 'targets', 'snapshot', 'timestamp'] as const;

export function republish(sim: Simulator): void {
  sim.publish('targets', 'snapshot', 'timestamp');
}

function withHashes(sim: Simulator): void {
  sim.hashes = true;
  republish(sim);
}

/** Lets a role start anew at version 1, as somebody does who puts an old copy in place. */
export function rewind(sim: Simulator, role: 'timestamp' | 'snapshot' | 'targets'): void {
  (role === 'targets' ? sim.targetsOf() : sim[role]).version = 1;
}

const works: readonly Scenario[] = [
  { name: 'the first refresh', known: false, when: () => {}, expect: 'ok', trusted: { root: 1, timestamp: 1, snapshot: 1, targets: 1 } },
  { name: 'nothing new', when: () => {}, expect: 'ok', trusted: { root: 1, timestamp: 1, snapshot: 1, targets: 1 } },
  { name: 'a new revision', when: republish, expect: 'ok', trusted: { root: 1, timestamp: 2, snapshot: 2, targets: 2 } },
  { name: 'a new revision with hashes', when: withHashes, expect: 'ok', trusted: { timestamp: 2, snapshot: 2, targets: 2 } },
  { name: 'a new timestamp alone', when: (sim) => sim.publish('timestamp'), expect: 'ok', trusted: { timestamp: 2, snapshot: 1 } },
  {
    name: 'a repository without consistent snapshots',
    given: (sim) => {
      sim.root.consistent_snapshot = false;
      sim.put('root');
      for (const role of ['targets', 'snapshot', 'timestamp']) sim.put(role);
    },
    when: republish,
    expect: 'ok',
    trusted: { timestamp: 2, snapshot: 2, targets: 2 },
  },
  {
    name: 'fields that nobody knows',
    when: (sim) => {
      Object.assign(sim.root, { 'x-field': { a: [1, null, 'ü"\\'] } });
      Object.assign(sim.role('timestamp'), { 'x-other': true });
      sim.publish('root');
    },
    expect: 'ok',
    trusted: { root: 2 },
  },
  {
    name: 'ten new roots at once',
    when: (sim) => {
      for (let count = 0; count < 10; count += 1) {
        sim.setKeys('root', [sim.newKey()], 1, [...(sim.signers.get('root') ?? []).slice(-1), sim.newKey()]);
        const [old, next] = sim.signers.get('root') ?? [];
        if (old === undefined || next === undefined) throw new Error('keys');
        sim.setKeys('root', [next], 1, [old, next]);
        sim.publish('root');
      }
    },
    expect: 'ok',
    trusted: { root: 11 },
  },
];

const rollback: readonly Scenario[] = [
  {
    name: 'rollback: an older timestamp',
    given: republish,
    when: (sim) => {
      rewind(sim, 'timestamp');
      sim.put('timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { timestamp: 2 },
  },
  {
    name: 'rollback: a new timestamp of an older snapshot',
    given: republish,
    when: (sim) => {
      rewind(sim, 'snapshot');
      sim.put('snapshot');
      sim.publish('timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { timestamp: 2, snapshot: 2 },
  },
  {
    name: 'rollback: a new snapshot of older targets',
    given: republish,
    when: (sim) => {
      rewind(sim, 'targets');
      sim.put('targets');
      sim.publish('snapshot', 'timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { timestamp: 3, snapshot: 2, targets: 2 },
  },
  {
    name: 'rollback: the same with hashes',
    given: withHashes,
    when: (sim) => {
      rewind(sim, 'targets');
      sim.put('targets');
      sim.publish('snapshot', 'timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { snapshot: 2, targets: 2 },
  },
  {
    name: 'rollback: a targets file that is not listed any more',
    given: (sim) => {
      sim.delegate('targets', 'team');
      sim.publish('team', 'targets', 'snapshot', 'timestamp');
    },
    when: (sim) => {
      delete sim.snapshot.meta['team.json'];
      sim.publish('snapshot', 'timestamp');
    },
    expect: 'metadata-rollback',
    trusted: { snapshot: 2 },
  },
  {
    name: 'rollback: an older timestamp, and the one on disk was destroyed',
    given: republish,
    when: (sim) => {
      rewind(sim, 'timestamp');
      sim.put('timestamp');
    },
    disk: (files) => files.set('timestamp.json', Buffer.from('{"signed":')),
    expect: 'metadata-rollback',
    told: ['local-damaged'],
  },
  {
    name: 'rollback: older targets, and the snapshot on disk was destroyed',
    given: republish,
    when: (sim) => {
      rewind(sim, 'targets');
      sim.put('targets');
      sim.publish('snapshot', 'timestamp');
    },
    disk: (files) => files.set('snapshot.json', new Uint8Array(0)),
    expect: 'metadata-rollback',
    told: ['local-damaged'],
  },
  {
    name: 'rollback: older roots, and the one on disk was destroyed',
    given: (sim) => sim.publish('root'),
    when: (sim) => sim.files.delete('2.root.json'),
    disk: (files) => files.set('root.json', Buffer.from('nonsense')),
    expect: 'metadata-rollback',
    told: ['local-damaged'],
  },
  {
    name: 'a timestamp of the same version with other content is not looked at',
    when: (sim) => {
      sim.timestamp.meta['snapshot.json'] = { version: 100 };
      sim.put('timestamp');
    },
    expect: 'ok',
    trusted: { timestamp: 1, snapshot: 1 },
  },
];

function expire(role: 'timestamp' | 'snapshot' | 'targets' | 'root', at = START - 1000): (sim: Simulator) => void {
  return (sim) => {
    (role === 'targets' ? sim.targetsOf() : sim[role]).expires = timeText(at);
    sim.publish(...ALL);
  };
}

const freeze: readonly Scenario[] = [
  { name: 'freeze: an expired root is believed in, and nothing after it', when: expire('root'), expect: 'metadata-expired', trusted: { root: 2, timestamp: 1 } },
  { name: 'freeze: an expired timestamp', when: expire('timestamp'), expect: 'metadata-expired', trusted: { root: 2, timestamp: 1, snapshot: 1 } },
  { name: 'freeze: an expired snapshot', when: expire('snapshot'), expect: 'metadata-expired', trusted: { timestamp: 2, snapshot: 1 } },
  { name: 'freeze: expired targets', when: expire('targets'), expect: 'metadata-expired', trusted: { snapshot: 2, targets: 1 } },
  { name: 'freeze: it expires in this very second', when: expire('timestamp', START), expect: 'metadata-expired' },
  { name: 'one second is enough', when: expire('timestamp', START + 1000), expect: 'ok', trusted: { timestamp: 2 } },
  { name: 'freeze: nothing new until all has expired', when: () => {}, later: 31 * DAY, expect: 'metadata-expired' },
  {
    name: 'an expired copy on disk is replaced by a fresh one',
    when: (sim) => {
      for (const part of [sim.root, sim.timestamp, sim.snapshot, sim.targetsOf()]) part.expires = timeText(START + 60 * DAY);
      sim.publish(...ALL);
    },
    later: 40 * DAY,
    expect: 'ok',
    trusted: { root: 2, timestamp: 2, snapshot: 2, targets: 2 },
  },
  { name: 'clock: turned back by more than a day', when: () => {}, later: -2 * DAY, expect: 'clock-suspect' },
  { name: 'clock: turned back by an hour', when: () => {}, later: -DAY / 24, expect: 'ok' },
  { name: 'clock: far in the future', when: () => {}, later: 400 * DAY, expect: 'clock-suspect' },
];

const mixAndMatch: readonly Scenario[] = [
  {
    name: 'mix-and-match: the targets of another revision under the right name',
    given: withHashes,
    when: (sim) => {
      republish(sim);
      sim.files.set('3.targets.json', sim.files.get('2.targets.json') ?? new Uint8Array(0));
    },
    expect: 'metadata-mismatch',
    trusted: { snapshot: 3, targets: 2 },
  },
  {
    name: 'mix-and-match: the same without hashes: the version tells',
    when: (sim) => {
      republish(sim);
      sim.files.set('2.targets.json', sim.files.get('1.targets.json') ?? new Uint8Array(0));
    },
    expect: 'metadata-mismatch',
    trusted: { snapshot: 2, targets: 1 },
  },
  {
    name: 'mix-and-match: the snapshot of another revision under the right name',
    when: (sim) => {
      republish(sim);
      sim.files.set('2.snapshot.json', sim.files.get('1.snapshot.json') ?? new Uint8Array(0));
    },
    expect: 'metadata-mismatch',
    trusted: { timestamp: 2, snapshot: 1 },
  },
  {
    name: 'a hash of the snapshot that is not its own',
    given: withHashes,
    when: (sim) => {
      sim.publish('snapshot');
      sim.timestamp.meta['snapshot.json'] = { version: 3, hashes: { sha256: '0'.repeat(64) } };
      sim.publish('timestamp');
    },
    expect: 'metadata-mismatch',
    trusted: { timestamp: 3, snapshot: 2 },
  },
  {
    name: 'one byte more at the end of a file that has a hash',
    given: withHashes,
    when: (sim) => {
      republish(sim);
      sim.files.set('3.targets.json', Buffer.concat([sim.files.get('3.targets.json') ?? new Uint8Array(0), Buffer.from(' ')]));
    },
    expect: 'metadata-endless',
  },
  {
    name: 'a hash of a kind that nobody knows is no hash',
    when: (sim) => {
      sim.publish('targets');
      sim.snapshot.meta['targets.json'] = { version: 2, hashes: { 'unknown-hash': '00' } };
      sim.publish('snapshot', 'timestamp');
    },
    expect: 'metadata-mismatch',
  },
  {
    name: 'a snapshot in the place of a timestamp, signed with the key of both',
    when: (sim) => {
      const [key] = sim.signers.get('timestamp') ?? [];
      if (key !== undefined) sim.addKey('snapshot', key);
      sim.snapshot.meta = { 'snapshot.json': { version: 1 } };
      sim.publish('root', 'snapshot');
      sim.files.set('timestamp.json', sim.files.get('2.snapshot.json') ?? new Uint8Array(0));
    },
    expect: 'bad-metadata',
    trusted: { root: 2, timestamp: 1 },
  },
];

const missing: readonly Scenario[] = [
  { name: 'no timestamp', when: (sim) => sim.files.delete('timestamp.json'), expect: 'metadata-missing' },
  {
    name: 'no snapshot',
    when: (sim) => {
      republish(sim);
      sim.files.delete('2.snapshot.json');
    },
    expect: 'metadata-missing',
    trusted: { timestamp: 2, snapshot: 1 },
  },
  {
    name: 'no targets',
    when: (sim) => {
      republish(sim);
      sim.files.delete('2.targets.json');
    },
    expect: 'metadata-missing',
    trusted: { timestamp: 2, snapshot: 2, targets: 1 },
  },
];

export const SCENARIOS: readonly Scenario[] = [...works, ...rollback, ...freeze, ...mixAndMatch, ...missing];
