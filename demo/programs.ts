/** Runs what was installed, from inside the root. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Moss, Ran } from './moss.ts';
import type { Stage } from './stage.ts';

interface Program {
  command: string[];
  says: RegExp;
}

const VERSIONS = `import ssl, sqlite3, json; print(json.dumps({"ssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version}))`;
const COMMIT = 'cd /tmp && git init -q demo && cd demo && echo peas > soup && git add soup && git -c user.name=moss -c user.email=moss@example.org commit -qm soup && git log --oneline | wc -l';

const DEBIAN: Program[] = [
  { command: ['git', '--version'], says: /^git version \d/ },
  { command: ['bash', '-c', COMMIT], says: /^1$/ },
  { command: ['python3', '-c', VERSIONS], says: /"ssl": "OpenSSL.*"sqlite": "3/ },
  { command: ['jq', '-nc', '{peas: (2 * 21)}'], says: /^\{"peas":42\}$/ },
  { command: ['rg', '--version'], says: /^ripgrep \d/ },
  { command: ['dash', '-c', 'ls /usr/bin | wc -l'], says: /^\d{3,}$/ },
];

export interface Place {
  kind: 'apt' | 'node_modules';
  root: string;
  /** The version of hello that has to answer. */
  hello: string;
  /** Only two of them. */
  brief?: boolean;
}

export async function runPrograms(moss: Moss, stage: Stage, { kind, root, hello, brief = false }: Place): Promise<void> {
  const expected = new RegExp(`^hello ${hello.replace('.', String.raw`\.`)}$`);
  if (kind === 'node_modules') {
    // Elsewhere than on Linux nothing can be run inside of the root, so its own path has to do.
    await tell(stage, ['sh', join(root, 'usr/bin/hello')], expected);
    const installed = join(root, 'usr/lib/node_modules/mrmime');
    await tell(stage, [process.execPath, '-p', `require(${JSON.stringify(installed)}).lookup('moss.html')`], /^text\/html$/);
    return;
  }
  const programs = brief ? DEBIAN.slice(0, 1) : DEBIAN;
  for (const { command, says } of [{ command: ['hello'], says: expected }, ...programs]) {
    const ran = await moss.run(['run', '--', ...command]);
    if (isImpossible(ran)) {
      stage.say('Skipped: neither unshare nor bubblewrap works on this machine, and moss is not root.');
      await tell(stage, ['sh', join(root, 'usr/bin/hello')], expected);
      return;
    }
    answer(stage, ran.status, ran.stdout, says, ran.stderr);
  }
}

/** `moss run` says that nothing here lets it enter the root. */
function isImpossible({ status, stderr }: Ran): boolean {
  return status === 1 && stderr.includes('nothing on this machine can run a program');
}

async function tell(stage: Stage, [program = '', ...args]: readonly string[], says: RegExp): Promise<void> {
  stage.command([program, ...args].join(' '));
  const { status, stdout, stderr } = await new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    execFile(program, args, (error, out, err) => resolve({ status: error === null ? 0 : 1, stdout: out, stderr: err }));
  });
  answer(stage, status, stdout, says, stderr);
}

function answer(stage: Stage, status: number, stdout: string, says: RegExp, stderr: string): void {
  const [line = ''] = stdout.split('\n');
  stage.check(line, status === 0 && says.test(line), stdout + stderr);
}
