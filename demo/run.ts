/**
 * `npm run demo`: the life of a package on this machine, from a publisher's files to a program that runs, is updated,
 * breaks, is mended and is rolled back. It exits with 1 when anything is not as it should be.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { breakAndRepair } from './break-and-repair.ts';
import { writeHello } from './hello.ts';
import { Moss, type Server } from './moss.ts';
import { findPackages, measure } from './packages.ts';
import { runPrograms } from './programs.ts';
import { numberAt, recordsAt, textAt, total } from './read.ts';
import { percent, seconds, size, Stage } from './stage.ts';

const project = join(import.meta.dirname, '..');
const cache = join(project, '.demo');
/** Made anew by each run, and left for a look around. */
const work = join(cache, 'work');
const repository = join(work, 'repository');
const root = join(work, 'root');

const stage = new Stage();
const moss = new Moss({ project, root, stage });
const started = performance.now();
let server: Server | undefined;

async function main(): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });

  stage.act('Real packages');
  const packages = await findPackages({ project, cache, note: (text) => stage.say(text) });
  const hello = { first: writeHello(work, '1.0'), later: writeHello(work, '2.0') };
  const input = total(packages.first.map(measure));
  const unit = packages.kind === 'apt' ? '.deb files' : 'directories under node_modules';
  stage.say(`${packages.first.length} ${unit}, ${size(input.bytes)}${packages.cached ? '' : ', with apt-get download'}: ${packages.wanted.join(', ')}, and ${packages.kind === 'apt' ? 'what they need' : 'others'};`);
  stage.say('and hello 1.0, a directory with a moss.toml.');

  stage.act('A repository');
  const { document: made } = await moss.do(['repo', 'init', repository, '--name', 'demo']);
  const fingerprint = textAt(made, 'fingerprint');
  stage.check('it has keys, and a fingerprint of them', /^[0-9a-f]{64}$/.test(fingerprint.replaceAll(' ', '')), JSON.stringify(made));
  const { document: published, time: publishTime } = await moss.do(['publish', repository, ...packages.first, hello.first], {
    shown: ['publish', repository, '...', hello.first],
  });
  const [frames, manifests] = [numberAt(published, 'frameBytes'), numberAt(published, 'manifestBytes')];
  stage.check(`all ${packages.first.length + 1} packages are published, in ${seconds(publishTime)}`, numberAt(published, 'packages') === packages.first.length + 1, JSON.stringify(published));
  stage.say(`${size(frames)} of frames: ${percent(frames, input.bytes)} of the packages; ${size(manifests)} of manifests: ${percent(manifests, input.bytes)}`);
  stage.say(`(and ${size(numberAt(published, 'verbatimBytes'))} of packed documents as they are, for whoever has no GNU gzip or a quick line)`);

  stage.act('A plain web server');
  server = await moss.serve(repository);
  stage.say(server.url);

  stage.act('A fresh root, and what it installs');
  const { document: added } = await moss.do(['repo', 'add', 'demo', server.url, '--fingerprint', fingerprint]);
  stage.check(`the repository is trusted by its fingerprint: revision ${numberAt(added, 'revision')}`, numberAt(added, 'revision') === 1, JSON.stringify(added));
  const wrong = await moss.ask(['repo', 'add', 'other', server.url, '--fingerprint', fingerprint.replace(/[0-9a-f]/g, '0')]);
  stage.check(`with another fingerprint it is refused: ${textAt(wrong.document, 'code')}`, wrong.status === 1 && textAt(wrong.document, 'code') === 'wrong-fingerprint', wrong.stdout);
  const { document: installed, time: installTime } = await moss.do(['install', ...packages.wanted, 'hello', '--yes']);
  const count = recordsAt(installed, 'install').length;
  stage.check(`${count} packages are installed in ${seconds(installTime)}, each byte verified`, numberAt(installed, 'state') === 1, JSON.stringify(installed));
  stage.say(`${size(fetchedOf(installed))} fetched, ${numberAt(installed, 'files').toLocaleString('en')} files, ${size(numberAt(installed, 'bytes'))} on disk`);

  stage.act('Its programs');
  await runPrograms(moss, stage, { kind: packages.kind, root, hello: '1.0' });

  stage.act('An update');
  const { document: second } = await moss.do(['publish', repository, ...packages.later, hello.later], {
    shown: ['publish', repository, ...(packages.later.length > 0 ? ['...'] : []), hello.later],
  });
  stage.check(`revision 2 has newer versions: ${packages.later.length + 1}`, numberAt(second, 'packed') === packages.later.length + 1, JSON.stringify(second));
  const { document: synced, time: syncTime } = await moss.do(['sync', '--yes']);
  const upgraded = recordsAt(synced, 'upgrade').map((each) => `${textAt(each, 'name')} ${textAt(each, 'from')} → ${textAt(each, 'to')}`);
  stage.check(`it takes ${seconds(syncTime)}:`, upgraded.length === packages.updated.length + 1 && numberAt(synced, 'state') === 2, JSON.stringify(synced));
  for (const line of upgraded) stage.say(`  ${line}`);
  stage.say(`${size(fetchedOf(synced))} fetched, ${numberAt(synced, 'files').toLocaleString('en')} new files`);
  const newDebs = total(packages.later.map(measure)).bytes;
  if (newDebs > 0) stage.say(`(the new .deb files are ${size(newDebs)})`);
  await runPrograms(moss, stage, { kind: packages.kind, root, hello: '2.0', brief: true });

  stage.act('Damage');
  await breakAndRepair(moss, stage, { root, path: packages.kind === 'apt' ? 'usr/bin/jq' : 'usr/bin/hello' });

  stage.act('Back to before the update');
  await moss.run(['state', 'list']).then(({ stdout }) => stage.quote(stdout));
  const { time: switchTime } = await moss.do(['state', 'activate', '1', '--yes']);
  stage.say(`after ${seconds(switchTime)}, without fetching anything:`);
  await runPrograms(moss, stage, { kind: packages.kind, root, hello: '1.0', brief: true });
  // It shared the damaged file, as one of its names; where the repair has not mended all of them, this one does.
  await moss.do(['state', 'verify', '1', '--repair', '--yes']);
  const sound = await moss.run(['verify']);
  stage.check('every file of it is what was signed', sound.status === 0, sound.stdout + sound.stderr);
}

/** Bytes that came from all sources. */
function fetchedOf(document: Record<string, unknown>): number {
  const sources = document['sources'];
  return typeof sources === 'object' && sources !== null ? Object.values(sources).reduce((sum: number, each) => sum + Number(each), 0) : 0;
}

try {
  await main();
} catch (error) {
  stage.check('the demo comes to its end', false, error instanceof Error ? error.message : String(error));
} finally {
  await server?.stop();
}
const { checks, failures } = stage;
stage.act(failures === 0 ? 'All is as it should be' : 'Not all is as it should be');
stage.say(`${checks - failures} of ${checks} checks passed, in ${seconds(performance.now() - started)}.`);
stage.say('The root and the repository stay for a look around, until the next run:');
stage.command('npx moss -D .demo/work/root list');
process.exitCode = failures === 0 ? 0 : 1;
