import { createInterface } from 'node:readline/promises';
import { MossError } from '../../core/error.ts';

export interface AskOptions {
  /** Answers without asking (`--yes`). */
  yes: boolean;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}

/**
 * Asks a person; where nobody can answer, the answer is `assume`.
 *
 * @throws MossError `declined` when the person says no
 */
export async function confirm(question: string, { yes, input, output, signal }: AskOptions, assume = true): Promise<void> {
  if (yes || (!input.isTTY && assume)) return;
  if (!input.isTTY) {
    throw new MossError('declined', `${question} Nobody is here to answer.`, { hint: 'Say yes with --yes.' });
  }
  const readline = createInterface({ input, output });
  try {
    const answer = await readline.question(`${question} [Y/n] `, { signal }).catch((error: unknown) => {
      output.write('\n');
      throw error;
    });
    if (!/^(y|yes|)$/i.test(answer.trim())) throw new MossError('declined', 'nothing was changed');
  } finally {
    readline.close();
  }
}
