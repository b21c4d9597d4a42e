/** The element in a frame: its attributes come by the frame's address, `frame.html?repository=URL&rate=1MB/s`. */
const seeder = document.createElement('moss-seeder');
const asked = new URLSearchParams(location.search);
for (const name of ['repository', 'fingerprint', 'rate', 'quota', 'month']) {
  const value = asked.get(name);
  if (value !== null) seeder.setAttribute(name, value);
}
document.documentElement.lang = asked.get('lang') ?? navigator.language;
document.body.append(seeder);
// The same file that other sites embed: beside this one, under its stable name.
const loader = './moss-seeder.js';
await import(/* @vite-ignore */ loader);
