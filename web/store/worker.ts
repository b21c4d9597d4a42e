/** The dedicated worker: it keeps blocks, and hashes them on their way in and out, away from the page. */
import { MossError } from '../../core/error.ts';
import type { Backend } from './backend.ts';
import { Garbage } from './garbage.ts';
import { IndexedStore } from './indexed-store.ts';
import type { StoreAnswer, StoreAnswers, StoreKind, StoreRequest } from './messages.ts';
import { PackStore } from './pack-store.ts';

let backend: Backend | undefined;
const garbage = new Garbage();

async function answer(request: StoreRequest): Promise<StoreAnswers[keyof StoreAnswers]> {
  if (request.do === 'open') return open(request.name, request.kind);
  if (backend === undefined) throw new MossError('bug', 'the store was not opened');
  switch (request.do) {
    case 'has':
      return backend.has(request.key);
    case 'get':
      return backend.get(request.key);
    case 'put':
      return backend.put(request.key, request.bytes);
    case 'delete':
      return backend.delete(request.key);
    case 'list':
      return backend.list();
    case 'sync':
      return backend.sync();
    case 'destroy':
      return backend.destroy();
  }
}

async function open(name: string, wanted: StoreKind | undefined): Promise<StoreKind> {
  const kind = wanted ?? ((await hasPrivateFiles()) ? 'pack' : 'indexed');
  backend = kind === 'pack' ? new PackStore(name) : new IndexedStore(name);
  return kind;
}

async function hasPrivateFiles(): Promise<boolean> {
  if (typeof FileSystemFileHandle === 'undefined' || !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return false;
  // Some browsers have the interface and refuse it in private windows.
  return navigator.storage.getDirectory().then(
    () => true,
    () => false,
  );
}

addEventListener('message', ({ data }: MessageEvent<StoreRequest>) => {
  const { number } = data;
  if (data.do === 'put') garbage.passed(data.bytes.length);
  answer(data).then(
    (value) => send({ number, value }, value instanceof Uint8Array ? value : undefined),
    (error: unknown) => send({ number, failure: failureOf(error) }),
  );
});

/** @param bytes of a block, which move to the page */
function send(answered: StoreAnswer, bytes?: Uint8Array<ArrayBuffer>): void {
  garbage.passed(bytes?.length ?? 0);
  postMessage(answered, { transfer: bytes === undefined ? [] : [bytes.buffer] });
}

function failureOf(error: unknown): Extract<StoreAnswer, { failure: unknown }>['failure'] {
  const { code, message, hint } = error instanceof MossError ? error : new MossError('io', `the storage of the browser failed: ${error instanceof Error ? error.message : 'for no reason'}`);
  return { code, message, hint };
}
