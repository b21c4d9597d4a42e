/** Machines of a test on a network of their own: network namespaces on a bridge, each a machine with one address. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';

/** An office: private addresses (RFC 1918). */
const NET = '10.213.77';

export interface Machine {
  name: string;
  address: string;
  /** The words before a command that run it on this machine. */
  prefix: string[];
}

export interface Shape {
  /** Bits a second, as tc writes it: `20mbit`. */
  rate?: string;
  /** Milliseconds each way: left out on a kernel without netem. */
  delay?: number;
}

/** Why there can be no such network here; `undefined` where there can. */
export function noNetwork(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `moss${process.pid}probe`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.error !== undefined) return 'there is no ip(8)';
  if (made.status !== 0) return `network namespaces cannot be made: ${made.stderr.trim()}`;
  spawnSync('ip', ['netns', 'del', name]);
  return spawnSync('tc', ['-V']).error === undefined ? undefined : 'there is no tc(8)';
}

export class Network {
  readonly #tag: string;
  readonly #names: string[] = [];
  /** The end of each machine's cable at the hub. */
  readonly #links = new Map<Machine, string>();
  readonly #children = new Set<ChildProcess>();
  readonly #net: string;

  /** @param net the first three bytes of the machines' addresses */
  constructor(tag: string, { net = NET } = {}) {
    this.#tag = `moss${process.pid}${tag}`.slice(0, 40);
    this.#net = net;
    const hub = this.space('hub');
    ip('-n', hub, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', hub, 'link', 'set', 'br0', 'up');
  }

  /** A machine whose sending, and whose receiving, is shaped. */
  machine(name: string, shape: Shape = {}): Machine {
    const number = this.#names.length;
    const [space, hub] = [this.space(name), this.#names[0] ?? ''];
    const link = `v${number}`;
    ip('-n', space, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', link, 'netns', hub);
    ip('-n', hub, 'link', 'set', link, 'master', 'br0', 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
    ip('-n', space, 'address', 'add', `${this.#net}.${number}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
    const machine = { name, address: `${this.#net}.${number}`, prefix: ['ip', 'netns', 'exec', space] };
    this.#links.set(machine, link);
    this.shape(machine, shape);
    return machine;
  }

  /** Shapes what a machine sends, and what it receives, from now on. */
  shape(machine: Machine, shape: Shape): void {
    const hub = ['ip', 'netns', 'exec', this.#names[0] ?? ''];
    for (const [where, device] of [[machine.prefix, 'eth0'], [hub, this.#links.get(machine) ?? '']] as const) shapeLink([...where, 'tc', 'qdisc', 'replace', 'dev', device, 'root'], shape);
  }

  /** Takes a machine's cable away. */
  unplug({ prefix }: Machine): void {
    run([...prefix, 'ip', 'link', 'set', 'eth0', 'down']);
  }

  /** And puts it back. */
  plug({ prefix }: Machine): void {
    run([...prefix, 'ip', 'link', 'set', 'eth0', 'up']);
  }

  /** A program that runs on a machine until the network is removed. */
  start({ prefix }: Machine, command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const [program = '', ...args] = [...prefix, ...command];
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.add(child);
    child.on('close', () => this.#children.delete(child));
    return child;
  }

  async remove(): Promise<void> {
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    for (const name of this.#names.toReversed()) spawnSync('ip', ['netns', 'del', name]);
  }

  /** A namespace that nothing leads to yet. @returns its name */
  space(name: string): string {
    const space = `${this.#tag}${name}`;
    ip('netns', 'add', space);
    this.#names.push(space);
    return space;
  }
}

/** netem where the kernel has it, else the token bucket of every kernel, which knows rates alone. */
function shapeLink(add: readonly string[], { rate, delay }: Shape): void {
  if (rate === undefined && delay === undefined) return;
  const netem = [...add, 'netem', ...(delay === undefined ? [] : ['delay', `${delay}ms`]), ...(rate === undefined ? [] : ['rate', rate]), 'limit', '10000'];
  const [program = '', ...args] = netem;
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0 || rate === undefined) return;
  run([...add, 'tbf', 'rate', rate, 'burst', '64kb', 'latency', '200ms']);
}

export function ip(...args: string[]): void {
  run(['ip', ...args]);
}

export function run(words: readonly string[]): void {
  const [program = '', ...args] = words;
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
}
