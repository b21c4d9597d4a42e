import type { AbortSignal } from '../ports/abort.ts';

interface Controller {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/** The platform's own class, which all have: the core is compiled without any platform's library. */
declare const AbortController: new () => Controller;

/** Something to abort work with. */
export function abortController(): Controller {
  return new AbortController();
}
