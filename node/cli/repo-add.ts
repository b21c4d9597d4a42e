import { MossError } from '../../core/error.ts';
import { formatFingerprint, parseFingerprint } from '../../core/trust/fingerprint.ts';
import { System } from '../system/system.ts';
import { count } from '../ui/format.ts';
import type { Context } from './context.ts';
import { textOption } from './options.ts';

export async function run(context: Context, [name = '', url = '']: string[], options: Record<string, unknown>): Promise<void> {
  const { output, signal } = context;
  const given = textOption(options, 'fingerprint');
  const fingerprint = given === undefined ? undefined : parseFingerprint(given);
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const { repositories } = system;
    if (repositories.list().some((each) => each.name === name)) {
      throw new MossError('exists', `there is a repository ${name} already`, { hint: `Remove it with \`moss repo remove ${name}\`, or choose another name.` });
    }
    const root = await repositories.find(url, { signal, fingerprint });
    if (fingerprint === undefined && !context.dryRun) {
      output.note(`The root keys of ${url} have the fingerprint\n\n  ${formatFingerprint(root.fingerprint)}\n`);
      await context.confirm('Is that what the publisher says?', false);
    }
    if (context.dryRun) {
      output.result('repo-add', { name, url, fingerprint: root.fingerprint, dryRun: true }, () => [`Would add ${name}, whose root keys have the fingerprint`, '', `  ${formatFingerprint(root.fingerprint)}`]);
      return;
    }
    await repositories.add(name, url, root);
    try {
      const updated = await repositories.update(name, { signal });
      output.result('repo-add', { name, url, fingerprint: root.fingerprint, revision: updated.revision, packages: updated.packages }, () => [
        `Added ${name}: revision ${updated.revision}, ${count(updated.packages, 'package')}.`,
      ]);
    } catch (error) {
      repositories.remove(name);
      throw error;
    }
  } finally {
    await system.close();
  }
}
