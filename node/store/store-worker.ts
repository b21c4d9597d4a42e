import { workerData } from 'node:worker_threads';
import { serve } from '../threads/serve.ts';
import { inspectPart } from '../link/inspect-part.ts';
import { linkPart } from '../link/link-part.ts';
import { compileQuickly } from './compiling.ts';
import { adoptFiles, checkFiles, lookAtFiles } from './files.ts';
import { patchUnits } from './patch.ts';
import { takeUnits } from './take.ts';
import type { StoreResult, StoreTask, StoreThread } from './tasks.ts';
import { unpackFrame } from './unpack.ts';

// The pool gives each thread this.
if (!(workerData as StoreThread).asksPeers) compileQuickly();

serve((task: StoreTask): StoreResult | Promise<StoreResult> => {
  switch (task.kind) {
    case 'unpack':
      return unpackFrame(task);
    case 'take':
      return takeUnits(task);
    case 'patch':
      return patchUnits(task);
    case 'check':
      return checkFiles(task.files);
    case 'inspect':
      return inspectPart(task);
    case 'look':
      return lookAtFiles(task);
    case 'adopt':
      return adoptFiles(task);
    case 'link':
      return linkPart(task);
  }
});
