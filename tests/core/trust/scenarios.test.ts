import { suite, test } from 'node:test';
import { initTrust } from '../../../core/trust/bootstrap.ts';
import { refreshMetadata } from '../../../core/trust/client.ts';
import { findTarget } from '../../../core/trust/find-target.ts';
import { runScenario } from './scenario.ts';
import { RECOVERY_SCENARIOS } from './recovery-scenarios.ts';
import { SCENARIOS } from './scenarios.ts';
import { SIGNATURE_SCENARIOS } from './signature-scenarios.ts';

const client = { initTrust, refreshMetadata, findTarget };

void suite('the TUF client', () => {
  for (const scenario of [...SCENARIOS, ...RECOVERY_SCENARIOS, ...SIGNATURE_SCENARIOS]) {
    void test(scenario.name, () => runScenario(client, scenario));
  }
});
