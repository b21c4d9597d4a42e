/**
 * Tabs of a Chromium that can be hidden: playwright-core keeps every page in front, so this speaks the Chrome DevTools
 * Protocol by itself (https://chromedevtools.github.io/devtools-protocol/).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM, CHROMIUM_FLAGS } from './chromium.ts';

const START_TIME = 120_000;
/** As playwright-core starts it: without the trials of Chromium's makers. */
const FLAGS = ['--headless=new', '--no-first-run', '--disable-field-trial-config', '--remote-debugging-port=0'];

export interface RealTab {
  /** As that of playwright-core: the function stands by itself, and what it gives goes through JSON. */
  evaluate<A, R>(work: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  evaluate<R>(work: () => R | Promise<R>): Promise<R>;
  /** Brings it to the front: the others are hidden then. */
  show(): Promise<void>;
}

export interface RealTabs {
  open(url: string): Promise<RealTab>;
  close(): Promise<void>;
}

export async function launchTabs(): Promise<RealTabs> {
  if (CHROMIUM === undefined) throw new Error('no Chromium is here');
  const profile = mkdtempSync(join(tmpdir(), 'moss-chromium-'));
  const browser = spawn(CHROMIUM, [...CHROMIUM_FLAGS, ...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const address = Promise.withResolvers<string>();
  let said = '';
  browser.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const found = /ws:\/\/\S+/.exec(said)?.[0];
    if (found !== undefined) address.resolve(found);
  });
  const late = setTimeout(() => address.reject(new Error(`Chromium does not start: ${said}`)), START_TIME);
  const protocol = await Protocol.connect(await address.promise.finally(() => clearTimeout(late)));
  return {
    open: async (url) => {
      const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank' });
      const { sessionId } = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
      await protocol.send('Page.enable', {}, sessionId);
      const loaded = protocol.next('Page.loadEventFired', sessionId);
      await protocol.send('Page.navigate', { url }, sessionId);
      await loaded;
      return {
        evaluate: async (work: (argument: never) => unknown, argument?: unknown) => {
          const expression = `(${work.toString()})(${JSON.stringify(argument) ?? ''})`;
          const { result, exceptionDetails } = await protocol.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId);
          if (exceptionDetails !== undefined) throw new Error(`the page threw ${JSON.stringify(exceptionDetails)}`);
          return Reflect.get(Object(result), 'value');
        },
        show: async () => void (await protocol.send('Target.activateTarget', { targetId })),
      };
    },
    close: async () => {
      const gone = once(browser, 'exit');
      await protocol.send('Browser.close', {});
      await gone;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Answer = Record<string, unknown>;

class Protocol {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #events = new Map<string, () => void>();
  #next = 0;

  static async connect(url: string): Promise<Protocol> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Protocol(socket);
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message: { id?: number; result?: Answer; error?: { message: string }; method?: string; sessionId?: string } = JSON.parse(String(data));
      if (message.id === undefined) this.#events.get(`${message.method} ${message.sessionId}`)?.();
      else if (message.error === undefined) this.#waiting.get(message.id)?.resolve(message.result ?? {});
      else this.#waiting.get(message.id)?.reject(new Error(message.error.message));
    });
  }

  send(method: string, params: object, sessionId?: unknown): Promise<Answer> {
    const id = this.#next++;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return answer.promise.finally(() => this.#waiting.delete(id));
  }

  next(method: string, sessionId: unknown): Promise<void> {
    return new Promise((resolve) => this.#events.set(`${method} ${String(sessionId)}`, resolve));
  }
}
