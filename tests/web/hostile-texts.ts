/** What would run, or break out, where text is read as markup, as an address, or as code: 200 and more. */
const SEEDS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe srcdoc="<script>parent.alert(1)</script>">',
  '<iframe src="javascript:alert(1)">',
  '<a href="javascript:alert(1)" autofocus onfocus=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<body onload=alert(1)>',
  '<input autofocus onfocus=alert(1)>',
  '<video><source onerror=alert(1)>',
  '<object data="javascript:alert(1)">',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<style>@import "https://example.org/x.css";</style>',
  '<link rel=stylesheet href="https://example.org/x.css">',
  '<base href="https://example.org/">',
  '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
  'javascript:alert(1)',
  '${alert(1)}',
  '{{constructor.constructor("alert(1)")()}}',
  '`-alert(1)-`',
  'data:text/html,<script>alert(1)</script>',
  '\u202e<script>alert(1)</script>',
  '<template shadowrootmode=open><script>alert(1)</script></template>',
  '__proto__',
];

const WRAPS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `">${text}`,
  (text) => `'>${text}`,
  (text) => `-->${text}<!--`,
  (text) => `</textarea></title></style></script>${text}`,
  (text) => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  (text) => text.replaceAll('script', 'scr\u0000ipt'),
  (text) => text.toUpperCase(),
  (text) => `{repository}{message}${text}{0}`,
];

export const HOSTILE_TEXTS: readonly string[] = SEEDS.flatMap((seed) => WRAPS.map((wrap) => wrap(seed)));
