/** What a page and the worker that keeps its blocks tell each other. */
import type { ErrorCode } from '../../core/error.ts';

export type StoreKind = 'pack' | 'indexed';

export type StoreRequest = { readonly number: number } & (
  /** The first one: where, and in what; `undefined` leaves the choice to the worker. */
  | { readonly do: 'open'; readonly name: string; readonly kind: StoreKind | undefined }
  | { readonly do: 'has' | 'get' | 'delete'; readonly key: Uint8Array }
  | { readonly do: 'put'; readonly key: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly do: 'list' | 'sync' | 'destroy' }
);

/** What each request is answered with. */
export interface StoreAnswers {
  open: StoreKind;
  has: boolean;
  get: Uint8Array<ArrayBuffer> | undefined;
  put: void;
  delete: void;
  /** Keys, one after the other. */
  list: Uint8Array<ArrayBuffer>;
  sync: void;
  destroy: void;
}

export type StoreAnswer = { readonly number: number } & (
  | { readonly value: StoreAnswers[keyof StoreAnswers] }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined } }
);
