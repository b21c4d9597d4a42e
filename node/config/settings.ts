/** The settings of a root: `<root>/.moss/config.toml`, over the user's own, over the defaults. */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import { writeFileDurably } from '../store/durable.ts';

export interface Settings {
  /** The architecture of the packages, in Debian's words. */
  architecture: string;
  /** Components that are left out of every install. */
  without: string[];
  /** Languages to keep; empty for all. */
  locales: string[];
  /** Whether recommended packages come along. */
  recommends: boolean;
  /** Requests to one web server at the same time. */
  connections: number;
  /** Seconds without a byte after which a request is given up. */
  timeout: number;
  /** How files get from the store into a state. */
  link: 'auto' | 'reflink' | 'hardlink' | 'copy';
  /** The newest states that stay after a change; 0 for all. The active one, the one before and pinned ones always stay. */
  'keep-states': number;
  /** Bytes on disk that `.moss` may take; 0 for as many as there are. */
  'store-quota': number;
  /** With whom this root shares, and whom it asks. */
  share: ShareScope;
  /** What of the installed packages is served beyond the local network. */
  'swarm-serves': 'nothing' | 'installed';
  /** Bytes a second that go beyond the local network, and in a month; 0 for as many as there are. */
  'upload-rate': number;
  'monthly-upload': number;
  /** Bytes a second that come from beyond the local network by peers; 0 for as many as there are. */
  'download-rate': number;
  /** Peers at the same time. */
  peers: number;
  /** The address of this machine at which the peer listens; empty for all. */
  'peer-host': string;
  /** The TCP port of the peer; 0 for one that is chosen once and kept. */
  'peer-port': number;
  /** Whether browsers may reach a daemon of the swarm by WebTransport, too. */
  webtransport: boolean;
}

/** `off`: nothing is announced, and no peer is asked. */
export type ShareScope = 'off' | 'lan' | 'swarm';

interface Definition<T> {
  initial: T;
  /** The value of a text or TOML value, or `undefined` when it is none. */
  read: (value: unknown) => T | undefined;
  expected: string;
  meaning: string;
}

const SIZE = 'a number of bytes such as 500000, 500kB or 20GB';
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: 'i386', arm: 'armhf', riscv64: 'riscv64', ppc64: 'ppc64el', s390x: 's390x' };

/** Every setting, in the order in which they are shown. */
export const DEFINITIONS: { [K in keyof Settings]: Definition<Settings[K]> } = {
  architecture: {
    initial: ARCHITECTURES[process.arch] ?? process.arch,
    read: (value) => (typeof value === 'string' && /^[a-z0-9][a-z0-9_-]*$/.test(value) ? value : undefined),
    expected: 'an architecture such as amd64',
    meaning: 'Packages for this architecture, and for all, can be installed.',
  },
  without: {
    initial: [],
    read: readComponents,
    expected: 'a list of components such as doc,man,locale,dev,debug; main is always here',
    meaning: 'Components that are never fetched.',
  },
  locales: { initial: [], read: readList, expected: 'a list of languages such as en,de', meaning: 'Languages to keep; empty for all.' },
  recommends: { initial: false, read: readFlag, expected: 'true or false', meaning: 'Whether recommended packages come along.' },
  connections: { initial: 8, read: readNumber(1, 64), expected: 'a number from 1 to 64', meaning: 'Requests to one web server at the same time.' },
  timeout: { initial: 15, read: readNumber(1, 600), expected: 'a number of seconds from 1 to 600', meaning: 'Seconds without a byte after which a request is given up.' },
  link: {
    initial: 'auto',
    read: (value) => (value === 'auto' || value === 'reflink' || value === 'hardlink' || value === 'copy' ? value : undefined),
    expected: 'auto, reflink, hardlink or copy',
    meaning: 'How files get from the store into a state.',
  },
  'keep-states': { initial: 0, read: readWhole(0, 100_000), expected: 'a number of states, or 0', meaning: 'The newest states that stay after a change; 0 for all. The one before and pinned ones stay besides.' },
  'store-quota': { initial: 0, read: readBytes, expected: SIZE, meaning: 'Bytes on disk that the store and the states may take: old states go for it; 0 for no limit.' },
  share: {
    initial: 'off',
    read: (value) => (value === 'off' || value === 'lan' || value === 'swarm' ? value : undefined),
    expected: 'off, lan or swarm',
    meaning: 'With whom this root shares, and whom it asks: see `moss share`.',
  },
  'swarm-serves': {
    initial: 'nothing',
    read: (value) => (value === 'nothing' || value === 'installed' ? value : undefined),
    expected: 'nothing or installed',
    meaning: 'What of the installed packages is served beyond the local network; it tells others what is installed.',
  },
  'upload-rate': { initial: 2_000_000, read: readBytes, expected: SIZE, meaning: 'Bytes a second to beyond the local network; 0 for no limit.' },
  'monthly-upload': { initial: 20_000_000_000, read: readBytes, expected: SIZE, meaning: 'Bytes a month to beyond the local network; 0 for no limit.' },
  'download-rate': { initial: 0, read: readBytes, expected: SIZE, meaning: 'Bytes a second from peers beyond the local network; 0 for no limit.' },
  peers: { initial: 64, read: readWhole(1, 1000), expected: 'a number from 1 to 1000', meaning: 'Peers at the same time.' },
  'peer-host': { initial: '', read: readAddress, expected: 'an IP address of this machine, or nothing', meaning: 'Where the peer listens; empty for all addresses of this machine.' },
  'peer-port': { initial: 0, read: readWhole(0, 65_535), expected: 'a port, or 0', meaning: 'The TCP port of the peer; 0 for one that is chosen once and kept.' },
  webtransport: { initial: false, read: readFlag, expected: 'true or false', meaning: 'Whether browsers may reach a daemon of the swarm by WebTransport, too.' },
};

/** A component or a language: `locale/de`, `pt_BR.UTF-8@latin`. */
const NAME = /^[\w./@+-]+$/;

function readList(value: unknown): string[] | undefined {
  const items = typeof value === 'string' ? value.split(',').map((item) => item.trim()).filter((item) => item !== '') : value;
  return Array.isArray(items) && items.every((item): item is string => typeof item === 'string' && NAME.test(item)) ? items : undefined;
}

/** A package without its main component would be none. */
function readComponents(value: unknown): string[] | undefined {
  const names = readList(value);
  return names?.includes('main') === true ? undefined : names;
}

function readFlag(value: unknown): boolean | undefined {
  return value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined;
}

function readNumber(least: number, most: number): (value: unknown) => number | undefined {
  return (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && number >= least && number <= most ? number : undefined;
  };
}

function readWhole(least: number, most: number): (value: unknown) => number | undefined {
  const read = readNumber(least, most);
  return (value) => {
    const number = read(value);
    return number !== undefined && Number.isInteger(number) ? number : undefined;
  };
}

function readAddress(value: unknown): string | undefined {
  return typeof value === 'string' && (value === '' || isIP(value) !== 0) ? value : undefined;
}

/** Bytes: a number, or a text with a decimal unit. */
export function readBytes(value: unknown): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgt]?b)?$/i.exec(String(value)) ?? [];
  const bytes = digits === '' ? Number.NaN : Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  return (typeof value === 'string' || typeof value === 'number') && Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function isSetting(name: string): name is keyof Settings {
  return Object.hasOwn(DEFINITIONS, name);
}

/** The file of the user's own settings, for all roots. */
export function userSettingsFile(environment: Record<string, string | undefined>): string {
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'moss', 'config.toml');
}

/**
 * The settings that hold, from files in the order of their weight, the last one heaviest.
 *
 * @throws MossError `usage` that names the file and the setting
 */
export async function loadSettings(files: readonly string[]): Promise<Settings> {
  const settings = defaultSettings();
  for (const file of files) {
    for (const [name, value] of Object.entries(await readToml(file))) assign(settings, name, value, file);
  }
  return settings;
}

export function defaultSettings(): Settings {
  const initial = Object.entries(DEFINITIONS).map(([name, definition]) => [name, definition.initial]);
  // Each definition is of the type of its setting.
  return Object.fromEntries(initial) as Settings;
}

/** Changes one setting in a file; `undefined` takes it out. */
export async function changeSetting(file: string, name: string, value: string | undefined): Promise<void> {
  const { stringify } = await import('smol-toml');
  const values = await readToml(file);
  if (value === undefined) delete values[name];
  else {
    const settings = defaultSettings();
    assign(settings, name, value, 'the command line');
    values[name] = isSetting(name) ? settings[name] : value;
  }
  writeFileDurably(file, stringify(values));
}

function assign(settings: Settings, name: string, value: unknown, file: string): void {
  if (!isSetting(name)) {
    throw new MossError('usage', `${file}: there is no setting ${name}`, { hint: `The settings are ${Object.keys(DEFINITIONS).join(', ')}.` });
  }
  const read = DEFINITIONS[name].read(value);
  if (read === undefined) throw new MossError('usage', `${file}: ${name} must be ${DEFINITIONS[name].expected}`);
  Object.assign(settings, { [name]: read });
}

async function readToml(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) return {};
  const { parse } = await import('smol-toml');
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new MossError('usage', `${file} is not TOML: ${cause instanceof Error ? cause.message : ''}`, { cause, data: { path: file } });
  }
}
