/** What stands beside the signed site for people and for machines that have nothing to trust yet: hints only. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What marks the page that `moss repo init` writes: `moss serve` shows the donate page in its place. */
export const FIRST_PAGE = '<meta name="generator" content="moss repo init">';

/** Writes `moss.json` and `index.html` into a new site; a publisher may change both. */
export function writeSiteHints(directory: string, name: string): void {
  const site = join(directory, 'site');
  mkdirSync(join(site, 'blocks'), { recursive: true });
  const hints = join(site, 'moss.json');
  if (!existsSync(hints)) writeFileSync(hints, `${JSON.stringify({ schema: 1, name, webseeds: [], relays: [], peers: [] }, undefined, 2)}\n`);
  const page = join(site, 'index.html');
  if (!existsSync(page)) writeFileSync(page, pageOf(name));
}

function pageOf(name: string): string {
  const safe = name.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
${FIRST_PAGE}
<title>${safe}</title>
<style>
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.25rem }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: .5rem; border-color: color-mix(in srgb, currentColor 25%, transparent) }
</style>
<h1>${safe}</h1>
<p>This is a moss package repository. To install from it:</p>
<pre>moss repo add ${safe.replaceAll(' ', '-')} <span id="url">URL OF THIS PAGE</span>
moss search WORD
moss install PACKAGE</pre>
<p>moss shows the fingerprint of the repository's root keys when it is added. Compare it with what the publisher says.</p>
<script>document.getElementById('url').textContent = location.href.replace(/(index\\.html)?$/, '')</script>
</html>
`;
}
