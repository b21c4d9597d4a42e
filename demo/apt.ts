/** Real packages from the machine's own apt sources: what needs what, which versions there are, and the files. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One version of a package that the sources offer. */
export interface Offer {
  name: string;
  version: string;
  source: string;
  /** Groups of alternatives, one of each of which is needed: names without version relations. */
  needs: string[][];
  provides: string[];
  /** Bytes of the `.deb`. */
  size: number;
}

export class Apt {
  readonly #directory: string;
  #options: string[] = [];

  /** `directory` is where private lists go when those of the system are empty or old. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  static async isHere(): Promise<boolean> {
    return (await succeeds('apt-get', ['--version'])) && (await succeeds('apt-cache', ['--version']));
  }

  /** Fetches lists of packages into the private directory: no root rights are needed, and nothing of the system changes. */
  async updateLists(): Promise<void> {
    const [lists, cache] = [join(this.#directory, 'lists'), join(this.#directory, 'cache')];
    mkdirSync(join(lists, 'partial'), { recursive: true });
    mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
    this.#options = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`, '-o', 'APT::Sandbox::User=', '-o', 'Debug::NoLocking=1'];
    // Third-party sources may fail without harm: what matters is whether the packages are there afterwards.
    await output('apt-get', [...this.#options, '-q', 'update']).catch(() => '');
  }

  /** Every version that can be downloaded, newest first, for each of the names. */
  async offers(names: readonly string[]): Promise<Map<string, Offer[]>> {
    const found = new Map<string, Offer[]>();
    if (names.length === 0) return found;
    // apt-cache fails when one name is unknown, and prints the others.
    const text = await output('apt-cache', [...this.#options, 'show', '--', ...names], { ignoreStatus: true });
    for (const stanza of text.split(/\n\n+/)) {
      const offer = parseOffer(stanza);
      if (offer === undefined) continue;
      const offers = found.get(offer.name) ?? [];
      if (!offers.some(({ version }) => version === offer.version)) found.set(offer.name, [...offers, offer]);
    }
    return found;
  }

  /** The packages that provide a virtual one. */
  async providers(name: string): Promise<string[]> {
    const text = await output('apt-cache', [...this.#options, 'showpkg', '--', name], { ignoreStatus: true });
    const lines = (text.split('Reverse Provides:')[1] ?? '').trim().split('\n');
    return lines.map((line) => line.split(' ')[0] ?? '').filter((each) => each !== '');
  }

  /** Downloads into `directory` whatever is not there yet. @returns the files, in the order of the offers */
  async download(offers: readonly Offer[], directory: string): Promise<string[]> {
    mkdirSync(directory, { recursive: true });
    const missing = offers.filter((offer) => fileOf(offer, directory) === undefined);
    if (missing.length > 0) {
      await output('apt-get', [...this.#options, '-q', 'download', ...missing.map(({ name, version }) => `${name}=${version}`)], { cwd: directory });
    }
    return offers.map((offer) => {
      const file = fileOf(offer, directory);
      if (file === undefined) throw new Error(`apt-get did not bring ${offer.name} ${offer.version}`);
      return file;
    });
  }
}

/** What is needed to run `wanted`, without recommendations: the newest of each, and one alternative of each group. */
export async function closureOf(apt: Apt, wanted: readonly string[]): Promise<Map<string, Offer[]>> {
  const closure = new Map<string, Offer[]>();
  const known = new Map<string, Offer[]>();
  const ask = async (names: readonly string[]): Promise<void> => {
    const unknown = [...new Set(names)].filter((name) => !known.has(name));
    const offers = await apt.offers(unknown);
    for (const name of unknown) known.set(name, offers.get(name) ?? []);
  };
  const isFulfilled = (group: readonly string[]): boolean =>
    group.some((name) => closure.has(name) || [...closure.values()].some(([newest]) => newest?.provides.includes(name) === true));
  let wave: string[][] = wanted.map((name) => [name]);
  while (wave.length > 0) {
    await ask(wave.flat());
    const next: string[][] = [];
    for (const group of wave) {
      if (isFulfilled(group)) continue;
      const name = group.find((each) => (known.get(each) ?? []).length > 0) ?? (await firstProvider(apt, group, ask, known));
      const offers = name === undefined ? undefined : known.get(name);
      const newest = offers?.[0];
      if (name === undefined || offers === undefined || newest === undefined) throw new Error(`the apt sources do not have ${group.join(' or ')}`);
      closure.set(name, offers);
      next.push(...newest.needs);
    }
    wave = next;
  }
  return closure;
}

async function firstProvider(apt: Apt, group: readonly string[], ask: (names: string[]) => Promise<void>, known: Map<string, Offer[]>): Promise<string | undefined> {
  for (const name of group) {
    const providers = await apt.providers(name);
    await ask(providers);
    const provider = providers.find((each) => (known.get(each) ?? []).length > 0);
    if (provider !== undefined) return provider;
  }
  return undefined;
}

function parseOffer(stanza: string): Offer | undefined {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? '';
  const [name, version] = [field('Package'), field('Version')];
  // What is only installed, and no source has, comes without a file name.
  if (name === '' || version === '' || field('Filename') === '') return undefined;
  const groups = [field('Pre-Depends'), field('Depends')].filter((text) => text !== '').flatMap((text) => text.split(','));
  return {
    name,
    version,
    source: field('Source').split(' ')[0] || name,
    needs: groups.map((group) => group.split('|').map(nameOf)),
    provides: field('Provides').split(',').map(nameOf).filter((each) => each !== ''),
    size: Number(field('Size')),
  };
}

/** The name in a relation such as `libc6:any (>= 2.36) [amd64]`. */
function nameOf(relation: string): string {
  return /^[^\s(:[]+/.exec(relation.trim())?.[0] ?? '';
}

/** apt-get writes `name_version_architecture.deb`, with `:` as `%3a`. */
function fileOf({ name, version }: Offer, directory: string): string | undefined {
  if (!existsSync(directory)) return undefined;
  const start = `${name}_${version.replaceAll(':', '%3a')}_`;
  const file = readdirSync(directory).find((each) => each.startsWith(start) && each.endsWith('.deb'));
  return file === undefined ? undefined : join(directory, file);
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return output(program, args).then(
    () => true,
    () => false,
  );
}

function output(program: string, args: readonly string[], { cwd, ignoreStatus = false }: { cwd?: string; ignoreStatus?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 2 ** 28, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      if (error === null || (ignoreStatus && typeof error.code === 'number')) resolve(stdout);
      else reject(new Error(`${program} ${args.slice(0, 6).join(' ')}: ${stderr.trim().split('\n').at(-1) ?? error.message}`, { cause: error }));
    });
  });
}
