/**
 * A peer that only asks, for one command, on a thread of its own: loading libp2p, its handshakes and its liars take no
 * time and no memory of who installs. The command speaks with it as with a daemon, and dials the bulk carrier itself.
 * The thread starts when there is somebody to dial, or early.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PeerScope } from '../../core/ports/transport.ts';
import type { Settings } from '../config/settings.ts';
import type { Layout } from '../store/layout.ts';
import { workerUrl } from '../threads/pool.ts';
import type { AskingReport, AskingTask } from './asking-thread.ts';
import { controlSocket, type PeerStatus } from './control.ts';
import { DaemonControl, DaemonPeer } from './control-client.ts';
import { Scout } from './scout.ts';

/** Megabytes of heap: who makes this thread hold more ends the search for peers, and not the command. */
const HEAP = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };

export interface AskingPeerOptions {
  layout: Layout;
  settings: Settings;
  scope: PeerScope;
  /** Whether to start the thread before there is anybody to dial. */
  early: boolean;
  /** What is told when something of it does not work; nothing depends on it. */
  onWarning: (message: string) => void;
}

export class AskingPeer {
  readonly #scout: Scout;
  #worker: Worker | undefined;
  readonly #control: DaemonControl;
  readonly #socket: string;
  #peers: readonly DaemonPeer[] = [];
  #dialling = true;

  constructor(options: AskingPeerOptions) {
    const { layout } = options;
    this.#socket = controlSocket(layout, process.env, 'ask');
    this.#control = new DaemonControl(this.#socket);
    this.#scout = new Scout({
      layout,
      onSomebody: (heard) => this.#start(heard, options),
      onSilence: () => {
        this.#dialling = false;
      },
    });
    if (options.early) this.#start([], options);
    else this.#scout.start().catch((error: unknown) => this.#fail(error, options));
  }

  /** Peers that are connected now; the same ones each time. */
  get peers(): readonly DaemonPeer[] {
    return this.#peers;
  }

  /** Whether sites are asked for peers, or it is starting, or dials. */
  get isDialling(): boolean {
    return this.#dialling;
  }

  async ban(id: string, reason: string): Promise<void> {
    await this.#control.ban(id, reason);
  }

  /** What it noted is written already: it need not take its leave. */
  async stop(): Promise<void> {
    await this.#scout.stop();
    await this.#worker?.terminate();
    rmSync(this.#socket, { force: true });
  }

  #start(heard: readonly string[], options: AskingPeerOptions): void {
    const { layout, settings, scope, onWarning } = options;
    this.#dialling = true;
    mkdirSync(layout.peer, { recursive: true, mode: 0o700 });
    // It is the directory of this version of Node in the one that was chosen.
    const compiled = getCompileCacheDir();
    const task: AskingTask = { root: layout.root, settings, scope, heard, socket: this.#socket, compiled: compiled && dirname(compiled) };
    const worker = new Worker(workerUrl(import.meta.url, './asking-thread'), { workerData: task, resourceLimits: HEAP });
    worker.on('message', (report: AskingReport) => {
      if ('peers' in report) {
        this.#peers = report.peers.map((peer) => this.#peerOf(peer));
        this.#dialling = report.dialling;
      } else if ('warning' in report) onWarning(report.warning);
      else this.#fail(report.failure, options);
    });
    worker.on('error', (error) => this.#fail(error, options));
    // A search keeps nobody.
    worker.unref();
    this.#worker = worker;
  }

  #fail(error: unknown, { onWarning }: AskingPeerOptions): void {
    this.#peers = [];
    this.#dialling = false;
    onWarning(`no peers are asked: ${error instanceof Error ? error.message : String(error)}`);
  }

  #peerOf(status: PeerStatus): DaemonPeer {
    return this.#peers.find(({ id }) => id === status.id) ?? new DaemonPeer(this.#control, status);
  }
}
