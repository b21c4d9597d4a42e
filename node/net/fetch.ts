import type { Fetch } from '../../core/ports/fetch.ts';

/** The platform's `fetch` as the core sees it. Its connections are kept alive and used again. */
export const nodeFetch: Fetch = (url, init) =>
  // The core knows a part of AbortSignal only; at run time it is always the platform's own.
  fetch(url, init as RequestInit);
