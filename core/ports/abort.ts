/**
 * The part of the platform's `AbortSignal` that the core relies on: written out here because the core is compiled
 * without the libraries of any platform. The real one fits.
 */
export interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface AbortOptions {
  signal?: AbortSignal | undefined;
}
