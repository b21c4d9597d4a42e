/** Made by `vite.config.ts`: `store/worker.ts` with all that it imports, as text. */
declare module 'virtual:store-worker' {
  export const source: string;
}
