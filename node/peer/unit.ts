/** The systemd user unit of a daemon. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface UnitOptions {
  root: string;
  /** Whether it is the root that moss takes without a word: its unit is called `moss`. */
  isDefault: boolean;
  /** The program and its arguments before `daemon`. */
  command: readonly string[];
  environment: Record<string, string | undefined>;
}

export interface Unit {
  name: string;
  path: string;
  text: string;
}

export function unitOf({ root, isDefault, command, environment }: UnitOptions): Unit {
  const name = isDefault ? 'moss.service' : `moss-${createHash('sha256').update(root).digest('hex').slice(0, 8)}.service`;
  const exec = [...command, 'daemon', '--foreground', '--root', root].map(quote).join(' ');
  const text = `# Written by \`moss daemon --install-unit\`.
[Unit]
Description=moss shares packages of ${root.replaceAll('%', '%%')}
Documentation=man:systemd.service(5)
After=network.target

[Service]
Type=exec
ExecStart=${exec}
Restart=on-failure
RestartSec=10
NoNewPrivileges=yes
MemoryHigh=512M
Nice=5

[Install]
WantedBy=default.target
`;
  return { name, path: join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd', 'user', name), text };
}

/** A word of `ExecStart` (systemd.service(5), section on command lines): in quotes, with `%`, `$`, `"` and `\` as they are. */
function quote(word: string): string {
  return `"${word.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}
