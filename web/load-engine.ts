import type { Engine } from './engine.ts';

/** Filled in by the build: the engine's file beside this one, and the hash that it must have. */
declare const __ENGINE__: { readonly file: string; readonly integrity: string };

interface EngineModule {
  createEngine(options: { connections?: number | undefined }): Engine;
}

/** Fetches the engine and makes it. Only ever called after consent. @throws when it does not come, or with another hash */
export async function loadEngine(options: { connections?: number | undefined }): Promise<Engine> {
  const url = new URL(__ENGINE__.file, import.meta.url).href;
  await preload(url);
  // What was preloaded with the right hash is what is imported: a document keeps one module for each address.
  const { createEngine } = (await import(/* @vite-ignore */ url)) as EngineModule;
  return createEngine(options);
}

/** An `import()` cannot say which hash it expects; the preloading of a module can. */
function preload(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'modulepreload';
    link.crossOrigin = 'anonymous';
    link.integrity = __ENGINE__.integrity;
    link.href = url;
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => {
      link.remove();
      reject(new Error('the engine could not be loaded'));
    });
    document.head.append(link);
  });
}
