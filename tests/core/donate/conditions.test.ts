import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idleReason, type Conditions, type IdleReason, type Usage } from '../../../core/donate/conditions.ts';
import { readSettings, type DonorSettings } from '../../../core/donate/settings.ts';

const settings = readSettings({ repository: 'https://example.org/repo/', month: 1000, hidden: 5000, hours: { from: 22 * 60, to: 6 * 60 } });
const conditions: Conditions = { online: true, elected: true };
const usage: Usage = { now: 100_000, minute: 23 * 60, month: 999 };

const CASES: readonly [IdleReason | undefined, Partial<DonorSettings>, Partial<Conditions>, Partial<Usage>][] = [
  [undefined, {}, {}, {}],
  ['other-tab', {}, { elected: false }, {}],
  ['paused', { paused: true }, {}, {}],
  ['offline', {}, { online: false }, {}],
  ['save-data', {}, { saveData: true }, {}],
  ['metered', {}, { metered: true }, {}],
  [undefined, {}, { saveData: false, metered: false }, {}],
  ['battery', {}, { battery: { level: 0.29, charging: false } }, {}],
  [undefined, {}, { battery: { level: 0.3, charging: false } }, {}],
  [undefined, {}, { battery: { level: 0.05, charging: true } }, {}],
  [undefined, {}, { hiddenSince: 95_001 }, {}],
  ['hidden', {}, { hiddenSince: 95_000 }, {}],
  ['hidden', { hidden: 0 }, { hiddenSince: 100_000 }, {}],
  [undefined, { hidden: -1 }, { hiddenSince: 0 }, {}],
  [undefined, {}, {}, { minute: 0 }],
  [undefined, {}, {}, { minute: 6 * 60 - 1 }],
  ['hours', {}, {}, { minute: 6 * 60 }],
  ['hours', {}, {}, { minute: 22 * 60 - 1 }],
  ['hours', { hours: { from: 60, to: 120 } }, {}, { minute: 120 }],
  [undefined, { hours: { from: 60, to: 120 } }, {}, { minute: 60 }],
  [undefined, { hours: { from: 60, to: 60 } }, {}, { minute: 0 }],
  [undefined, { hours: undefined }, {}, { minute: 12 * 60 }],
  ['month', {}, {}, { month: 1000 }],
  [undefined, { month: 0 }, {}, { month: 1e12 }],
  ['other-tab', { paused: true }, { elected: false, online: false }, {}],
];

describe('a donor is idle', () => {
  for (const [reason, s, c, u] of CASES) {
    it(`${reason ?? 'never'}: ${JSON.stringify({ ...s, ...c, ...u })}`, () => {
      assert.equal(idleReason({ ...settings, ...s }, { ...conditions, ...c }, { ...usage, ...u }), reason);
    });
  }
});

describe('settings', () => {
  it('come from what was stored, and are the defaults where that is not of the right kind', () => {
    assert.deepEqual(readSettings({ repository: 'https://a.example/', rate: -1, month: '5', quota: 1, hidden: 1.5, hours: { from: 1440, to: 0 }, paused: 'yes', fingerprint: 'x' }), {
      repository: 'https://a.example',
      rate: 1_000_000,
      month: 20_000_000_000,
      quota: 4 * 1024 * 1024,
      hours: undefined,
      hidden: -1,
      paused: false,
    });
  });

  for (const repository of [undefined, '', 'example.org', 'ftp://example.org', 'javascript:alert(1)', 'https://a@b.example', 'https://a.example/?q', 'https://a.example/#x', `https://${'a'.repeat(3000)}.example`]) {
    it(`refuse the repository ${String(repository).slice(0, 40)}`, () => {
      assert.throws(() => readSettings({ repository }), { code: 'usage' });
    });
  }
});
