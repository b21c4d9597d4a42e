import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addDuration, addToRate, NO_DURATIONS, NO_RATE, quantile, rateOf } from '../../../core/exchange/estimate.ts';
import { choose, losers, type Start } from '../../../core/exchange/schedule.ts';
import type { AttemptView, Situation, SourceView, TaskView } from '../../../core/exchange/situation.ts';

const NOW = 10_000;
const MIB = 1024 * 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Source extends Mutable<Omit<SourceView, 'attempts'>> {
  attempts: Set<AttemptView>;
}
interface Task extends Mutable<Omit<TaskView, 'attempts' | 'tried'>> {
  attempts: Set<AttemptView>;
  tried: Map<SourceView, unknown>;
}

/** A source of so many bytes a second; 0 for one that nothing is known of. */
function source(kind: SourceView['kind'], rate: number, more: Partial<Source> = {}): Source {
  const seen = rate === 0 ? NO_RATE : { ...addToRate(NO_RATE, rate, 1000), total: 64 * MIB };
  return {
    kind, concurrency: kind === 'floor' ? 12 : 512, out: false, proven: rate > 0, retryAt: 0, attempts: new Set(), rate: seen,
    latency: rate === 0 ? undefined : 10, lastProgress: NOW, gainedAt: undefined, seed: 1, ...more,
  };
}

function task(bytes = MIB, more: Partial<Task> = {}): Task {
  return { bytes, tried: new Map(), attempts: new Set(), holders: 0, seed: 1, claim: undefined, ...more };
}

function attempt(of: Task, from: Source, more: Partial<AttemptView> = {}): AttemptView {
  const made: AttemptView = { task: of, source: from, startedAt: NOW - 100, firstAt: undefined, received: 0, atStake: 0, progress: 0, accepting: false, ...more };
  of.attempts.add(made);
  from.attempts.add(made);
  return made;
}

function situation(sources: Source[], queue: Task[], attempts: AttemptView[] = [], more: Partial<Situation> = {}): Situation {
  const left = [...queue, ...attempts.map((each) => each.task)].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    now: NOW, startedAt: 0, expecting: false, self: undefined, sources, queue, attempts: new Set(attempts), total: 100 * MIB, left, wasted: 0,
    durations: NO_DURATIONS, accepted: NO_RATE, acceptedAt: NOW, ...more,
  };
}

/** Half a second a block was usual. */
const USUAL = [1, 2, 3, 4, 5].reduce((durations) => addDuration(durations, MIB, 500), NO_DURATIONS);

function isStart(start: Start | undefined, from: Source, of?: Task): void {
  assert.ok(start !== undefined, 'nothing is begun');
  assert.equal(start.source, from);
  if (of !== undefined) assert.equal(start.task, of);
}

function tasks(count: number): Task[] {
  return Array.from({ length: count }, () => task());
}

describe('who is asked next', () => {
  it('is a near peer before a far one, and a peer before the floor', () => {
    const [near, far, floor] = [source('lan', 5e6), source('far', 9e6), source('floor', 9e6)];
    isStart(choose(situation([floor, far, near], tasks(30))), near);
    near.out = true;
    isStart(choose(situation([floor, far, near], tasks(30))), far);
    far.retryAt = NOW + 1;
    isStart(choose(situation([floor, far, near], tasks(30))), floor);
  });

  it('is nobody that has tried it, is out, or is to be left alone', () => {
    const floor = source('floor', 1e6);
    assert.equal(choose(situation([floor], [task(MIB, { tried: new Map([[floor, 'missed']]) })])), undefined);
    assert.equal(choose(situation([source('lan', 1e6, { out: true })], tasks(1))), undefined);
    assert.equal(choose(situation([source('lan', 1e6, { retryAt: NOW + 5 })], tasks(1))), undefined);
  });

  it('is asked for the rarest first', () => {
    const rare = task(MIB, { holders: 1 });
    const peer = source('lan', 1e6);
    isStart(choose(situation([peer], [task(MIB, { holders: 3 }), rare, task(MIB, { holders: 2 })])), peer, rare);
  });

  it('gets one thing, the smallest, before anything of it was found right', () => {
    const unknown = source('lan', 0);
    const small = task(1000);
    isStart(choose(situation([unknown], [task(), small, task()])), unknown, small);
    const first = attempt(task(1000), unknown);
    assert.equal(choose(situation([unknown], [small], [first])), undefined);
  });

  it('is no slow peer that would hold up the end', () => {
    const [slow, floor] = [source('far', 10_000), source('floor', 10e6)];
    const full = Array.from({ length: 12 }, () => attempt(task(), floor));
    assert.equal(choose(situation([slow, floor], tasks(5), full)), undefined);
    isStart(choose(situation([slow, floor], tasks(2000), full)), slow);
  });

  it('is not the floor while the peers that may have it bring as much, and is it for what they lack', () => {
    const [peer, floor] = [source('lan', 20e6), source('floor', 10e6)];
    const full = Array.from({ length: 12 }, () => attempt(task(), peer));
    const lacking = task(MIB, { tried: new Map([[peer, 'missed']]) });
    assert.equal(choose(situation([peer, floor], tasks(5), full)), undefined);
    isStart(choose(situation([peer, floor], [...tasks(5), lacking], full)), floor, lacking);
    peer.lastProgress = NOW - 1000;
    assert.equal(choose(situation([peer, floor], tasks(5), full))?.source, floor);
  });

  it('is the floor with two requests alone in the first moment where a peer is near, or may be found', () => {
    const [near, floor] = [source('lan', 0), source('floor', 0)];
    const under = [attempt(task(), near), attempt(task(), floor), attempt(task(), floor)];
    assert.equal(choose(situation([near, floor], tasks(5), under, { startedAt: NOW - 5 })), undefined);
    const other = source('floor', 0);
    const two = [attempt(task(), other), attempt(task(), other)];
    assert.equal(choose(situation([other], tasks(5), two, { startedAt: NOW - 5, expecting: true })), undefined);
    isStart(choose(situation([other], tasks(5), two, { startedAt: NOW - 25, expecting: true })), other);
  });
});

describe('a second source', () => {
  it('is asked where the first one takes longer than p80, and nothing else is left', () => {
    const [slow, quick] = [source('far', 100_000), source('lan', 10e6)];
    const late = attempt(task(), slow, { startedAt: NOW - 900 });
    isStart(choose(situation([slow, quick], [], [late], { durations: USUAL })), quick);
    const early = attempt(task(), source('lan', 8e6), { startedAt: NOW - 50 });
    assert.equal(choose(situation([quick], [], [early], { durations: USUAL })), undefined);
    const fresh = task();
    isStart(choose(situation([slow, quick], [fresh], [late], { durations: USUAL })), quick, fresh);
  });

  it('is not asked where that would cost more than 3 % of the bytes, unless it is the floor', () => {
    const [slow, quick, floor] = [source('far', 100_000), source('lan', 10e6), source('floor', 10e6)];
    const late = attempt(task(), slow, { startedAt: NOW - 5000, received: 500_000, atStake: 500_000, progress: 500_000 });
    const scarce = { durations: USUAL, wasted: 2.9 * MIB };
    assert.equal(choose(situation([slow, quick], [], [late], scarce)), undefined);
    isStart(choose(situation([slow, quick], [], [late], { ...scarce, wasted: 0 })), quick);
    isStart(choose(situation([slow, floor], [], [late], scarce)), floor);
  });

  it('is not given up as soon as it was asked: it would be asked again and again', () => {
    const [slow, quick] = [source('far', 500_000), source('lan', 10e6)];
    const came = MIB - 100_000;
    const wanted = task();
    const late = attempt(wanted, slow, { startedAt: NOW - 5000, firstAt: NOW - 4900, received: came, atStake: came, progress: came });
    isStart(choose(situation([slow, quick], [], [late], { durations: USUAL })), quick);
    const rival = attempt(wanted, quick, { startedAt: NOW });
    assert.deepEqual(losers(situation([slow, quick], [], [late, rival], { durations: USUAL })), []);
  });

  it('is asked before anything new for what stands still', () => {
    const [still, floor] = [source('lan', 5e6, { lastProgress: NOW - 1000 }), source('floor', 5e6)];
    const stuck = task();
    const under = attempt(stuck, still);
    isStart(choose(situation([still, floor], tasks(3), [under])), floor, stuck);
  });

  it('ends silent ones by its first byte, and is ended when the first one comes to life and needs no help', () => {
    const [first, second] = [source('far', 1e6), source('lan', 5e6)];
    const both = task();
    const silent = attempt(both, first, { startedAt: NOW - 900 });
    const rival = attempt(both, second, { startedAt: NOW - 100, received: 1000, atStake: 1000, progress: 1000, firstAt: NOW });
    assert.deepEqual(losers(situation([first, second], [], [silent, rival])), [silent]);
    const other = task();
    const lively = attempt(other, second, { startedAt: NOW - 900, received: MIB - 1000, atStake: MIB - 1000, progress: MIB - 1000, firstAt: NOW - 100 });
    const needless = attempt(other, first, { startedAt: NOW - 100 });
    assert.deepEqual(losers(situation([first, second], [], [lively, needless])), [needless]);
  });

  it('never ends what is being taken in', () => {
    const [first, second] = [source('far', 1e6), source('lan', 5e6)];
    const both = task();
    const taken = attempt(both, first, { accepting: true });
    const rival = attempt(both, second, { received: 1000 });
    assert.ok(!losers(situation([first, second], [], [taken, rival])).includes(taken));
  });
});

describe('estimates', () => {
  it('forget what was long ago', () => {
    const rate = addToRate(addToRate(NO_RATE, 1_000_000, 1000), 10_000_000, 2000);
    assert.ok((rateOf(rate) ?? 0) > 4500 && (rateOf(rate) ?? 0) < 5000, `${rateOf(rate)}`);
  });

  it('tell how long most requests took, whatever their size', () => {
    assert.equal(quantile(NO_DURATIONS, 0.8, MIB), undefined);
    assert.ok(Math.abs((quantile(USUAL, 0.8, MIB) ?? 0) - 500) < 1);
    assert.ok((quantile(USUAL, 0.8, 1000) ?? 0) < 40);
  });
});
