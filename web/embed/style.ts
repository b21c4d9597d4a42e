/** As a sheet that is made by script: a site's policy needs no `style-src` for it. */
const CSS = `
:host {
  --accent: var(--moss-accent, light-dark(#44702f, #9dc684));
  --on-accent: var(--moss-on-accent, light-dark(#fff, #14200d));
  --ground: var(--moss-background, light-dark(#fffefa, #1c2017));
  --ink: var(--moss-color, light-dark(#22261c, #e6e8dc));
  --soft: var(--moss-soft, light-dark(#5c6152, #a6ad98));
  --line: var(--moss-line, light-dark(#d6d5c7, #3a4132));
  display: block;
  box-sizing: border-box;
  inline-size: 22rem;
  max-inline-size: 100%;
  block-size: 18rem;
  contain: strict;
  overflow: auto;
  padding: .9rem 1rem;
  background: var(--ground);
  color: var(--ink);
  border: 1px solid var(--line);
  border-radius: var(--moss-radius, .75rem);
  font: .875rem/1.4 var(--moss-font, ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif);
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important }
.root { block-size: 100% }
.panel { display: flex; flex-direction: column; gap: .45rem; min-block-size: 100% }
.title { margin: 0; font-size: 1rem; font-weight: 600; display: flex; gap: .55rem; align-items: baseline; overflow-wrap: anywhere }
p { margin: 0; overflow-wrap: anywhere }
.soft { color: var(--soft); font-size: .82rem }
.why { font-size: .82rem; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; flex: none }
.why:empty { display: none }
.large { font-size: 1.35rem; font-variant-numeric: tabular-nums }
.row { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: auto }
button { font: inherit; font-weight: 550; min-height: 2.2rem; padding: .25rem .85rem; border-radius: 99rem; border: 1px solid var(--soft); background: none; color: inherit; cursor: pointer }
button:hover { background: color-mix(in srgb, var(--accent) 12%, transparent) }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.sign { flex: none; width: .6rem; height: .6rem; border-radius: 50%; background: var(--soft) }
.sign[data-mood=giving] { background: var(--accent) }
.sign[data-mood=busy] { background: none; border: 2px solid var(--accent); box-sizing: border-box }
.sign[data-mood=wrong] { background: #c2410c; border-radius: 2px }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
`;

let sheet: CSSStyleSheet | undefined;

export function elementSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
