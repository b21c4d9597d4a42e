/** A thread that finds peers and asks them for tickets and streams, for who started it: see `asking-peer.ts`. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { MossError } from '../../core/error.ts';
import type { PeerScope } from '../../core/ports/transport.ts';
import type { Settings } from '../config/settings.ts';
import { Layout } from '../store/layout.ts';
import type { PeerStatus } from './control.ts';

export interface AskingTask {
  root: string;
  settings: Settings;
  scope: PeerScope;
  /** Multiaddrs that were heard of, to be tried at once. */
  heard: readonly string[];
  /** Where to be asked, as a daemon is. */
  socket: string;
  /** Where compiled code is kept between runs. */
  compiled: string | undefined;
}

export type AskingReport = { peers: PeerStatus[]; dialling: boolean } | { warning: string } | { failure: string };

if (parentPort === null) throw new MossError('bug', 'a worker module was loaded outside of a worker');
const port = parentPort;
const report = (message: AskingReport): void => port.postMessage(message);

/** On two cores it is the installing threads that must not wait. */
const NICE = 5;

async function ask({ root, settings, scope, heard, socket, compiled }: AskingTask): Promise<void> {
  // Linux alone counts priority by the thread; elsewhere the whole process would have this one.
  if (process.platform === 'linux') setPriority(NICE);
  // Each thread has to say so.
  if (compiled !== undefined) enableCompileCache(compiled);
  const [{ SharingPeer }, { ControlServer }, { peersOf }] = await Promise.all([import('./sharing-peer.ts'), import('./control-server.ts'), import('./daemon.ts')]);
  const sharing = await SharingPeer.start({
    layout: new Layout(root),
    settings,
    scope,
    serves: false,
    heard,
    onEvent: (event) => {
      if (event.type === 'warning') report({ warning: event.message });
    },
  });
  await ControlServer.listen(socket, {
    status: () => {
      throw new MossError('usage', 'this is no daemon');
    },
    peers: () => peersOf(sharing),
    peer: (id) => sharing.host.peers.find((peer) => peer.id === id),
    ban: (id, reason) => sharing.ban(id, reason),
    refresh: async () => undefined,
    reload: async () => undefined,
    stop: () => undefined,
  });
  const tell = (): void => report({ peers: peersOf(sharing), dialling: sharing.isDialling });
  sharing.onPeers = tell;
  tell();
  // This thread is ended from outside, and would keep nothing for the next one.
  flushCompileCache();
}

ask(workerData as AskingTask).catch((error: unknown) => report({ failure: error instanceof Error ? error.message : String(error) }));
