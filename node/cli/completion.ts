import { MossError } from '../../core/error.ts';
import type { Context } from './context.ts';

const SHELLS = {
  bash: async () => (await import('./completion/bash.ts')).bashScript(),
  zsh: async () => (await import('./completion/zsh.ts')).zshScript(),
  fish: async () => (await import('./completion/fish.ts')).fishScript(),
};

export async function run({ output }: Context, [shell = '']: string[]): Promise<void> {
  const make = Object.entries(SHELLS).find(([name]) => name === shell)?.[1];
  if (make === undefined) throw new MossError('usage', `there is no completion for ${shell}`, { hint: `There is one for ${Object.keys(SHELLS).join(', ')}.` });
  const script = await make();
  output.result('completion', { shell, script }, () => [script.trimEnd()]);
}
