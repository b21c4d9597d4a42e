import type { Scenario } from './scenario.ts';
import type { Simulator, TestKey } from './simulator.ts';

/** Thresholds, doubled signatures, and chains of keys. */

function unsigned(role: string, expect: string, trusted: Scenario['trusted']): Scenario {
  return {
    name: `${role} that nobody signed`,
    when: (sim) => {
      sim.signers.set(role, []);
      sim.publish('root', 'targets', 'snapshot', 'timestamp');
    },
    expect,
    ...(trusted === undefined ? {} : { trusted }),
  };
}

const thresholds: readonly Scenario[] = [
  unsigned('root', 'root-changed', { root: 1, timestamp: 1 }),
  unsigned('timestamp', 'bad-signature', { root: 2, timestamp: 1 }),
  unsigned('snapshot', 'bad-signature', { root: 2, timestamp: 2, snapshot: 1 }),
  unsigned('targets', 'bad-signature', { root: 2, timestamp: 2, snapshot: 2, targets: 1 }),
  {
    name: 'two of three signatures that are needed',
    given: (sim) => {
      sim.addKey('snapshot');
      sim.addKey('snapshot');
      sim.role('snapshot').threshold = 3;
      sim.publish('root', 'snapshot', 'timestamp');
    },
    when: (sim) => {
      sim.signers.set('snapshot', (sim.signers.get('snapshot') ?? []).slice(0, 2));
      sim.publish('snapshot', 'timestamp');
    },
    expect: 'bad-signature',
    trusted: { snapshot: 2 },
  },
  {
    name: 'more signatures needed than there are keys',
    when: (sim) => {
      sim.role('snapshot').threshold = 2;
      sim.publish('root', 'snapshot', 'timestamp');
    },
    expect: 'bad-signature',
    trusted: { root: 2, snapshot: 1 },
  },
  {
    name: 'a signature that is listed twice',
    when: (sim) => {
      sim.publish('timestamp');
      sim.tamper('timestamp.json', ({ signatures }) => signatures.push(...signatures));
    },
    expect: 'bad-metadata',
  },
  {
    name: 'a key that is listed twice in its role',
    when: (sim) => {
      const role = sim.role('timestamp');
      role.keyids.push(...role.keyids);
      sim.publish('root');
    },
    expect: 'bad-metadata',
    trusted: { root: 1 },
  },
  {
    name: 'one key under two ids counts once',
    when: (sim) => {
      const [key] = sim.signers.get('timestamp') ?? [];
      if (key === undefined) return;
      sim.setKeys('timestamp', [key, { ...key, id: 'a'.repeat(64) }], 2);
      sim.publish('root', 'timestamp');
    },
    expect: 'bad-signature',
    trusted: { root: 2, timestamp: 1 },
  },
  {
    name: 'a wrong signature beside enough right ones',
    when: (sim) => {
      sim.addKey('timestamp');
      sim.publish('root', 'timestamp');
      sim.tamper('timestamp.json', ({ signatures }) => Object.assign(signatures[0] ?? {}, { sig: 'ab'.repeat(64) }));
    },
    expect: 'ok',
    trusted: { timestamp: 2 },
  },
  {
    name: 'a signature that is no hex beside enough right ones',
    when: (sim) => {
      sim.addKey('timestamp');
      sim.publish('root', 'timestamp');
      sim.tamper('timestamp.json', ({ signatures }) => Object.assign(signatures[1] ?? {}, { sig: '' }));
    },
    expect: 'ok',
    trusted: { timestamp: 2 },
  },
  {
    name: 'signatures by keys of another role',
    when: (sim) => {
      sim.signers.set('timestamp', sim.signers.get('snapshot') ?? []);
      sim.publish('timestamp');
    },
    expect: 'bad-signature',
  },
  {
    name: 'what is signed was changed',
    when: (sim) => {
      sim.publish('timestamp');
      sim.tamper('timestamp.json', ({ signed }) => Object.assign(signed, { version: 3 }));
    },
    expect: 'bad-signature',
  },
  {
    name: 'a repository that was begun anew with other keys',
    when: (sim) => {
      for (const role of ['root', 'timestamp', 'snapshot', 'targets']) sim.rotate(role);
      for (const role of ['root', 'targets', 'snapshot', 'timestamp']) sim.put(role);
    },
    expect: 'root-changed',
    trusted: { root: 1, timestamp: 1 },
  },
];

interface Version {
  readonly keys: readonly number[];
  readonly threshold: number;
  readonly sigs: readonly number[];
}

const five = [0, 1, 2, 3, 4];

/** Chains of roots: which keys a version names, and which sign it. The last one is the one in question. */
const chains: Readonly<Record<string, { expect: string; versions: readonly Version[] }>> = {
  'one key replaced': { expect: 'ok', versions: [{ keys: [1], threshold: 1, sigs: [1] }, { keys: [2], threshold: 1, sigs: [2, 1] }, { keys: [2], threshold: 1, sigs: [2] }] },
  'signatures that nobody needs': { expect: 'ok', versions: [{ keys: [1], threshold: 1, sigs: [3, 1, 4] }, { keys: [2], threshold: 1, sigs: [3, 2, 1, 4] }] },
  'any three of five': { expect: 'ok', versions: [[0, 2, 4], [0, 4, 1], [0, 1, 3], [1, 2, 3]].map((sigs) => ({ keys: five, threshold: 3, sigs })) },
  'one of five replaced': { expect: 'ok', versions: [{ keys: five, threshold: 3, sigs: [0, 2, 4] }, { keys: [0, 1, 3, 4, 5], threshold: 3, sigs: [0, 4, 1] }] },
  'all of five replaced': { expect: 'ok', versions: [{ keys: five, threshold: 3, sigs: [0, 2, 4] }, { keys: [5, 6, 7, 8, 9], threshold: 3, sigs: [0, 2, 4, 5, 6, 7] }] },
  'threshold up': { expect: 'ok', versions: [{ keys: [1, 2, 3], threshold: 1, sigs: [1] }, { keys: [1, 2, 3], threshold: 2, sigs: [1, 2] }] },
  'threshold down': { expect: 'ok', versions: [{ keys: [1, 2, 3], threshold: 2, sigs: [1, 2] }, { keys: [1, 2, 3], threshold: 1, sigs: [1, 2] }, { keys: [1, 2, 3], threshold: 1, sigs: [1] }] },
  'not signed by the old key': { expect: 'root-changed', versions: [{ keys: [1], threshold: 1, sigs: [1] }, { keys: [2], threshold: 1, sigs: [2, 3, 4] }] },
  'not signed by the new key': { expect: 'bad-signature', versions: [{ keys: [1], threshold: 1, sigs: [1] }, { keys: [2], threshold: 1, sigs: [1, 3, 4] }] },
  'too few of the new keys': { expect: 'bad-signature', versions: [{ keys: five, threshold: 3, sigs: [0, 2, 4] }, { keys: [0, 1, 3, 4, 5], threshold: 3, sigs: [0, 2, 4] }] },
  'too few of the old keys': { expect: 'root-changed', versions: [{ keys: five, threshold: 3, sigs: [0, 2, 4] }, { keys: [0, 1, 3, 4, 5], threshold: 3, sigs: [0, 4, 5] }] },
  'threshold up, not reached': { expect: 'bad-signature', versions: [{ keys: [1, 2, 3], threshold: 1, sigs: [2] }, { keys: [1, 2, 3], threshold: 2, sigs: [2] }] },
  'threshold down before the old one agreed': { expect: 'root-changed', versions: [{ keys: [1, 2, 3], threshold: 2, sigs: [1, 2] }, { keys: [1, 2, 3], threshold: 1, sigs: [1] }] },
};

const rootChains: readonly Scenario[] = Object.entries(chains).map(([name, { expect, versions }]) => {
  const keys: TestKey[] = [];
  const enter = (sim: Simulator, version: Version): void => {
    while (keys.length < 10) keys.push(sim.newKey());
    const pick = (at: number): TestKey => keys[at] ?? sim.newKey();
    sim.setKeys('root', version.keys.map(pick), version.threshold, version.sigs.map(pick));
  };
  const [first, ...rest] = versions;
  return {
    name: `root chain: ${name}`,
    given: (sim) => {
      keys.length = 0;
      if (first !== undefined) enter(sim, first);
      sim.put('root');
    },
    when: (sim) => {
      for (const version of rest) {
        enter(sim, version);
        sim.publish('root');
      }
    },
    expect,
    trusted: { root: expect === 'ok' ? versions.length : versions.length - 1 },
  };
});

const versionsOfRoot: readonly Scenario[] = [0, 1, 3].map((wrong) => ({
  name: `version 2 of root says that it is version ${wrong}`,
  when: (sim): void => {
    sim.root.version = wrong;
    sim.put('root', 2);
  },
  expect: wrong === 0 ? 'bad-metadata' : 'metadata-rollback',
  trusted: { root: 1 },
}));

/** Signed by the right keys, and not well-formed all the same. */
const malformed: readonly Scenario[] = (
  [
    ['a threshold of zero', (sim): unknown => (sim.role('timestamp').threshold = 0)],
    ['no timestamp role', (sim): unknown => delete sim.root.roles['timestamp']],
    ['a role that is a list', (sim): unknown => Object.assign(sim.root.roles, { timestamp: [] })],
    ['another major version of the specification', (sim): unknown => (sim.root.spec_version = '2.0.0')],
    ['an expiry that is no time', (sim): unknown => (sim.root.expires = 'never')],
    ['an expiry on the 30th of February', (sim): unknown => (sim.root.expires = '2031-02-30T00:00:00Z')],
  ] satisfies [string, (sim: Simulator) => unknown][]
).map(([name, change]) => ({
  name: `malformed: ${name}`,
  when: (sim: Simulator): void => {
    change(sim);
    sim.publish('root');
  },
  expect: 'bad-metadata',
  trusted: { root: 1 },
}));

const crowded: Scenario = {
  name: 'malformed: a timestamp that describes more than the snapshot',
  when: (sim) => {
    sim.timestamp.meta['targets.json'] = { version: 1 };
    sim.publish('timestamp');
  },
  expect: 'bad-metadata',
  trusted: { timestamp: 1 },
};

export const SIGNATURE_SCENARIOS: readonly Scenario[] = [...thresholds, ...rootChains, ...versionsOfRoot, ...malformed, crowded];
