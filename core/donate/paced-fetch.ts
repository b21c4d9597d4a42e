/** A `fetch` that reads no faster than it may: the sender is held back by what is not read. */
import type { Fetch } from '../ports/fetch.ts';

/** @param take resolves when so many bytes may have come */
export function pacedFetch(fetch: Fetch, take: (bytes: number) => Promise<void>): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body } = response;
    if (body === null) return response;
    return {
      status: response.status,
      headers: response.headers,
      body: {
        getReader: () => {
          const reader = body.getReader();
          return {
            read: async () => {
              const chunk = await reader.read();
              if (chunk.value !== undefined) await take(chunk.value.length);
              return chunk;
            },
            cancel: (reason) => reader.cancel(reason),
          };
        },
      },
    };
  };
}
