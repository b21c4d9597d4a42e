import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recover, runTransaction, STEPS, type Machine, type Step } from '../../../core/install/transaction.ts';

function machine(log: Step[], at: Partial<Record<Step, () => void>> = {}): Machine {
  const step = (name: Step) => async (): Promise<void> => {
    at[name]?.();
    log.push(name);
  };
  return { fetch: step('fetch'), store: step('store'), link: step('link'), seal: step('seal'), activate: step('activate'), configure: step('configure') };
}

describe('a transaction', () => {
  it('does its steps in their order, each once', async () => {
    const log: Step[] = [];
    const told: Step[] = [];
    await runTransaction(machine(log), { onStep: (step) => told.push(step) });
    assert.deepEqual(log, STEPS);
    assert.deepEqual(told, STEPS);
  });

  for (const [i, step] of STEPS.entries()) {
    it(`does nothing after ${step} failed`, async () => {
      const log: Step[] = [];
      await assert.rejects(runTransaction(machine(log, { [step]: () => { throw new Error('no'); } })), /no/);
      assert.deepEqual(log, STEPS.slice(0, i));
    });

    it(`aborted during ${step} ${i >= STEPS.indexOf('seal') ? 'completes or stops before the switch' : 'stops after it'}`, async () => {
      const log: Step[] = [];
      const controller = new AbortController();
      const work = runTransaction(machine(log, { [step]: () => controller.abort() }), { signal: controller.signal });
      if (i < STEPS.indexOf('seal')) {
        await assert.rejects(work);
        assert.deepEqual(log, STEPS.slice(0, i + 1));
      } else {
        await work;
        assert.deepEqual(log, STEPS);
      }
    });
  }
});

describe('recovery after a crash', () => {
  it('does nothing where nothing is left over', () => {
    assert.deepEqual(recover({ unsealed: [], active: 3, configuring: undefined }), []);
  });

  it('discards trees that were not sealed', () => {
    assert.deepEqual(recover({ unsealed: ['/a', '/b'], active: undefined, configuring: undefined }), [{ do: 'discard', tree: '/a' }, { do: 'discard', tree: '/b' }]);
  });

  it('finishes the configuration of the active state, and forgets that of a state that was never activated', () => {
    assert.deepEqual(recover({ unsealed: [], active: 4, configuring: 4 }), [{ do: 'configure', state: 4 }]);
    assert.deepEqual(recover({ unsealed: [], active: 3, configuring: 4 }), [{ do: 'forget-configuration' }]);
    assert.deepEqual(recover({ unsealed: [], active: undefined, configuring: 1 }), [{ do: 'forget-configuration' }]);
  });
});
