import type { AbortSignal } from './abort.ts';

/** The part of a Fetch API response that the core reads. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: {
    getReader(): {
      read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
      cancel(reason?: unknown): Promise<void>;
    };
  } | null;
}

/** The Fetch API as the core sees it: the platform's own `fetch` fits. */
export type Fetch = (url: string, init?: { signal?: AbortSignal | undefined; redirect?: 'follow' | 'error' }) => Promise<FetchResponse>;
