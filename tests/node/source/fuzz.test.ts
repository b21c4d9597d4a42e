/**
 * Mutated packages: whatever comes, an import ends, well or with a `MossError`. `MOSS_FUZZ` is the number of runs of
 * each property; a failure prints the seed and path that repeat it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ar, BINARY, CONTROL, controlMember, deb } from '../../fixtures/deb-package.ts';
import { survives } from '../../fixtures/importing.ts';
import { content, digestOf, index, layout, meta, PEA_META, stone, type Payload } from '../../fixtures/stone-package.ts';
import { directory, file, hardlink, longName, pax, symlink, tar } from '../../fixtures/tar-archive.ts';

const runs = Number(process.env['MOSS_FUZZ'] ?? 200);

const DATA = tar(
  directory('./usr/'),
  file('./usr/bin/pea', 'content'),
  hardlink('./usr/bin/bean', './usr/bin/pea'),
  longName(`./usr/share/${'l'.repeat(120)}`),
  symlink('./cut', '../bin/pea'),
  pax({ path: './usr/share/p', size: '5' }),
  file('./cut', '12345'),
  file('./usr/share/doc/pea/copyright', 'Format: x\n\nLicense: MIT\n'),
);

const POSTINST = '#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk "/usr/bin/mawk" 5 \\\n --slave /a b /c\ncat <<EOF\nx\nEOF\n';

/** One change of some bytes; positions are parts of the whole, so that they shrink well. */
type Mutation = { at: number } & ({ kind: 'set'; bytes: Uint8Array } | { kind: 'cut'; length: number } | { kind: 'insert'; bytes: Uint8Array } | { kind: 'repeat'; length: number });

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
/** Bytes that mean something: limits of integers, separators, digits. */
const telling = fc.constantFrom('00', 'ff', '7f', '80', '80000000', 'ffffffff', '8000000000000000', '7fffffffffffffff', '2e2e2f', '2f', '0a', '20', '37373737', '3939393939', 'c3', 'fd2fb528').map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
const bytes = fc.oneof(telling, fc.uint8Array({ minLength: 1, maxLength: 16 }));
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), at: position, bytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: position, length: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: position, bytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), at: position, length: fc.nat(2000) }) },
);
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

function mutate(input: Uint8Array, changes: readonly Mutation[]): Buffer {
  let out = Buffer.from(input);
  for (const change of changes) {
    const at = Math.floor(change.at * out.length);
    const [before, after] = [out.subarray(0, at), out.subarray(at)];
    switch (change.kind) {
      case 'set':
        out = Buffer.concat([before, change.bytes, after.subarray(change.bytes.length)]);
        break;
      case 'cut':
        out = Buffer.concat([before, after.subarray(change.length)]);
        break;
      case 'insert':
        out = Buffer.concat([before, change.bytes, after]);
        break;
      case 'repeat':
        out = Buffer.concat([before, after.subarray(0, change.length), after]);
        break;
    }
  }
  return out;
}

/** Makes the checksums of tar headers right again, so that what lies behind them is reached. */
function withChecksums(archive: Buffer): Buffer {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    const header = archive.subarray(at, at + 512);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return archive;
}

async function holds(build: (changes: readonly Mutation[]) => Uint8Array | Promise<Uint8Array>): Promise<void> {
  const seen = { imported: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      seen[await survives(await build(changes))]++;
    }),
    { numRuns: runs },
  );
  assert.ok(seen.refused > 0, 'no mutation did any harm: the fuzzer is blunt');
}

const options = { timeout: 60_000 + runs * 200 };

for (const compression of ['', '.gz', '.xz', '.zst'] as const) {
  const whole = deb({ data: DATA, compression, scripts: { postinst: POSTINST } });
  test(`mutated .deb files with tar${compression}`, options, () => holds((changes) => mutate(whole, changes)));
}

test('mutated tar archives with right checksums', options, () =>
  holds((changes) => ar(BINARY, controlMember(), { name: 'data.tar', bytes: withChecksums(mutate(DATA, changes)) })));

test('mutated control files', options, () => holds((changes) => deb({ control: mutate(Buffer.from(CONTROL), changes), scripts: { postinst: mutate(Buffer.from(POSTINST), changes), conffiles: mutate(Buffer.from('/etc/a\n/usr/b\n'), changes) } })));

const real = ['bash-completion-2.11-1-1-x86_64.stone', 'pineapple-1-1-1-x86_64.stone'].map((name) => readFileSync(new URL(`../../fixtures/stone/${name}`, import.meta.url)));
for (const whole of real) test(`mutated real .stone of ${whole.length} bytes`, options, () => holds((changes) => mutate(whole, changes)));

test('mutated .stone payloads with right checksums', options, async () => {
  const text = Buffer.from('contentmore');
  const [one, two] = [await digestOf(text.subarray(0, 7)), await digestOf(text.subarray(7))];
  const payloads: Payload[] = [
    meta(...PEA_META),
    layout({ path: 'bin', type: 3 }, { path: 'bin/pea', source: one }, { path: 'bin/bean', source: two }, { path: 'bin/x', type: 2, source: Buffer.from('../y') }),
    index({ start: 0n, end: 7n, digest: one }, { start: 7n, end: 11n, digest: two }),
    content(text),
  ];
  await holds((changes) => {
    const [first] = changes;
    const which = first === undefined ? 0 : Math.floor(first.at * 1000) % payloads.length;
    return stone({ payloads: payloads.map((payload, i) => (i === which ? { kind: payload.kind, plain: mutate(payload.plain, changes), records: payload.records ?? 0 } : payload)) });
  });
});
