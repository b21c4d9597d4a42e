/** Runs a program inside a state, with the state's files as the system's and the root's `etc`, `var` and `home`. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { USR_ALIASES } from '../../core/dag/path.ts';
import { USER_TOPS } from '../../core/install/tree.ts';
import { MossError } from '../../core/error.ts';
import type { Layout } from '../store/layout.ts';

/**
 * What can enter a tree, best first. `unshare` (util-linux) becomes the program itself, so that signals and job control
 * of a terminal reach it; bubblewrap stays between, and dies of the Ctrl-C that the program handles. `chroot` needs
 * root and can only show the active state.
 */
export const RUN_TOOLS = ['unshare', 'bubblewrap', 'chroot'] as const;
export type RunTool = (typeof RUN_TOOLS)[number];

/** Tops that hold what users and programs write, and that outlive states. Those of the kernel are made anew. */
const KEPT_TOPS = [...USER_TOPS].filter((top) => !['dev', 'proc', 'sys', 'tmp', 'run'].includes(top));
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Signals that are the program's, not moss's own. SIGUSR1 would start Node's debugger. */
const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

export interface RunRequest {
  layout: Layout;
  state: number;
  active: number | undefined;
  /** The program and its arguments. */
  command: readonly string[];
  /** A directory that is brought along, writable, and started in; its path stays. */
  here?: string | undefined;
  environment: Record<string, string | undefined>;
  /** Only this tool. */
  tool?: RunTool | undefined;
}

/** What to start to enter a tree. */
export interface RunPlan {
  tool: RunTool;
  program: string;
  args: string[];
  environment: Record<string, string | undefined>;
}

export interface Ended {
  /** As shells count it: 128 and the number of the signal, where one ended the program. */
  status: number;
  signal: NodeJS.Signals | undefined;
}

/** @throws MossError `no-tool`; `not-found` when the state has no such program */
export function planRun(request: RunRequest): RunPlan {
  const { layout, state, command, environment } = request;
  requireProgram(layout, state, command[0] ?? '');
  const tool = chooseTool(request);
  const plans = { unshare: () => unshareArgs(request), bubblewrap: () => bubblewrapArgs(request), chroot: () => chrootArgs(request) };
  const programs = { unshare: 'unshare', bubblewrap: 'bwrap', chroot: 'chroot' };
  return { tool, program: programs[tool], args: plans[tool](), environment: insideEnvironment(environment) };
}

/** Runs it with the terminal of moss, and passes on the signals that moss gets. */
export async function runPlan({ tool, program, args, environment }: RunPlan, { stdout = 'inherit' }: { stdout?: 'inherit' | number } = {}): Promise<Ended> {
  let inner: number | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    // The terminal gives SIGINT and SIGQUIT to the program as well.
    if ((signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY) return;
    if (inner !== undefined) process.kill(inner, signal);
  };
  // Before the program starts: it may be asked to stop at once.
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    const child = spawn(program, args, { stdio: ['inherit', stdout, 'inherit', tool === 'bubblewrap' ? 'pipe' : 'ignore'], env: environment });
    inner = child.pid;
    // Bubblewrap tells the process id of the program: it does not pass signals on by itself.
    const info = child.stdio[3];
    let text = '';
    if (info !== null && info !== undefined && 'on' in info) {
      info.on('data', (piece: Buffer) => {
        text += piece.toString();
        inner = Number(/"child-pid":\s*(\d+)/.exec(text)?.[1] ?? inner);
      });
    }
    return await new Promise<Ended>((resolve, reject) => {
      child.on('error', (cause) => reject(new MossError('no-tool', `${program} cannot be started`, { cause })));
      child.on('exit', (status, signal) => resolve({ status: status ?? 128 + (signal === null ? 0 : constants.signals[signal]), signal: signal ?? undefined }));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

function chooseTool({ tool, state, active }: RunRequest): RunTool {
  const isRoot = process.getuid?.() === 0;
  const works: Record<RunTool, () => boolean> = {
    unshare: () => succeeds('unshare', isRoot ? ['--mount', 'true'] : ['--user', '--map-root-user', '--mount', 'true']),
    bubblewrap: () => succeeds('bwrap', ['--ro-bind', '/', '/', 'true']),
    chroot: () => isRoot && state === active && succeeds('chroot', ['--version']),
  };
  const found = (tool === undefined ? RUN_TOOLS : [tool]).find((each) => works[each]());
  if (found !== undefined) return found;
  throw new MossError('no-tool', tool === undefined ? 'nothing on this machine can run a program inside of the root' : `${tool} does not work on this machine`, {
    hint: 'Install bubblewrap (bwrap), or allow unprivileged user namespaces for unshare; as root, chroot is enough for the active state.',
  });
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** What of the state and the root is shown where. */
function view({ layout, state }: RunRequest): { system: string[]; aliases: string[]; kept: string[] } {
  const directory = layout.state(state);
  const names = readdirSync(directory, { withFileTypes: true });
  return {
    system: names.filter((entry) => entry.isDirectory()).map(({ name }) => name),
    aliases: USR_ALIASES.filter((alias) => existsSync(join(directory, 'usr', alias))),
    kept: KEPT_TOPS.filter((top) => lstatSync(join(layout.root, top), { throwIfNoEntry: false })?.isDirectory() === true),
  };
}

function bubblewrapArgs(request: RunRequest): string[] {
  const { layout, state, command, here } = request;
  const { system, aliases, kept } = view(request);
  return [
    '--info-fd', '3', '--die-with-parent',
    ...system.flatMap((top) => ['--ro-bind', join(layout.state(state), top), `/${top}`]),
    ...aliases.flatMap((alias) => ['--symlink', `usr/${alias}`, `/${alias}`]),
    ...kept.flatMap((top) => ['--bind', join(layout.root, top), `/${top}`]),
    '--dev', '/dev', '--proc', '/proc', '--ro-bind-try', '/sys', '/sys', '--tmpfs', '/tmp', '--tmpfs', '/run',
    ...(here === undefined ? ['--chdir', '/'] : ['--bind', here, here, '--chdir', here]),
    '--', ...command,
  ];
}

/** Mounts made by `sh` in a namespace of its own, over an empty directory of the root; then the program takes its place. */
function unshareArgs(request: RunRequest): string[] {
  const { layout, state, command, here } = request;
  const { system, aliases, kept } = view(request);
  const top = join(layout.moss, 'run');
  mkdirSync(top, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const at = (path: string): string => quote(join(top, path));
  const bind = (from: string, to: string): string[] => [`mkdir -p ${at(to)}`, `mount --rbind ${quote(from)} ${at(to)}`];
  const script = [
    `mount -t tmpfs -o mode=0755 moss ${quote(top)}`,
    ...system.flatMap((name) => bind(join(layout.state(state), name), name).concat(`mount -o remount,bind,ro ${at(name)}`)),
    ...aliases.map((alias) => `ln -s ${quote(`usr/${alias}`)} ${at(alias)}`),
    ...kept.flatMap((name) => bind(join(layout.root, name), name)),
    ...['dev', 'proc', 'sys'].flatMap((name) => bind(`/${name}`, name)),
    ...['tmp', 'run'].flatMap((name) => [`mkdir -p ${at(name)}`, `mount -t tmpfs -o mode=1777 moss ${at(name)}`]),
    ...(here === undefined ? [] : bind(here, here)),
    enter(top, here ?? '/', isRoot),
  ];
  return [...(isRoot ? [] : ['--user', '--map-root-user']), '--mount', '--', 'sh', '-c', script.join(' && '), 'moss', ...command];
}

/** Without mounts there are no devices: those that programs cannot do without are made in the root (Linux: mem(4)). */
function chrootArgs({ layout, command }: RunRequest): string[] {
  const directory = join(layout.root, 'dev');
  mkdirSync(directory, { recursive: true });
  for (const [name, minor] of [['null', 3], ['zero', 5], ['random', 8], ['urandom', 9]] as const) {
    if (!existsSync(join(directory, name))) spawnSync('mknod', ['-m', '666', join(directory, name), 'c', '1', String(minor)], { stdio: 'ignore' });
  }
  return [layout.root, ...command];
}

/** The last step: into the tree, and where moss is not root back to being the user. */
function enter(top: string, directory: string, isRoot: boolean): string {
  const ids = isRoot ? '' : `--user --map-user=${process.getuid?.() ?? 0} --map-group=${process.getgid?.() ?? 0} `;
  return `exec unshare ${ids}--root=${quote(top)} --wd=${quote(directory)} -- "$@"`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What the machine's own system means by these would mislead a program of another one. */
function insideEnvironment(environment: Record<string, string | undefined>): Record<string, string | undefined> {
  const { LD_LIBRARY_PATH: _path, LD_PRELOAD: _preload, ...rest } = environment;
  return { ...rest, PATH, ...(process.getuid?.() === 0 && { HOME: '/root' }) };
}

/** A program that is not there is told before the tools tell it in their words. */
function requireProgram(layout: Layout, state: number, name: string): void {
  const directories = name.includes('/') ? [''] : PATH.split(':');
  const places = directories.map((directory) => join(directory, name).replace(/^\/+/, ''));
  const isThere = (place: string): boolean => {
    const inRoot = KEPT_TOPS.includes(place.split('/')[0] ?? '') ? layout.root : layout.state(state);
    return lstatSync(join(inRoot, place), { throwIfNoEntry: false }) !== undefined;
  };
  if (name === '' || (!name.startsWith('./') && !name.startsWith('../') && !places.some((place) => isThere(place)))) {
    throw new MossError('not-found', `state ${state} has no program ${name}`, { hint: `Install the package that has it: \`moss search ${name}\`.`, data: { state, program: name } });
  }
}
