import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MossError } from '../../core/error.ts';
import { startStaticServer } from '../net/static-server.ts';
import { ServeLog } from '../ui/serve-log.ts';
import type { Context } from './context.ts';
import { numberOption, textOption } from './options.ts';

const PORT = 8787;

export async function run({ output, signal, dryRun }: Context, [directory = '.']: string[], options: Record<string, unknown>): Promise<void> {
  const site = siteOf(resolve(directory));
  const host = textOption(options, 'host') ?? '127.0.0.1';
  const port = numberOption(options, 'port') ?? PORT;
  if (port > 65_535) throw new MossError('usage', `there is no port ${port}`);
  if (dryRun) {
    output.result('serve', { url: null, directory: site, host, port, dryRun }, () => [`Would serve ${site} on ${host}:${port}.`]);
    return;
  }
  const log = new ServeLog((line) => output.note(line), { verbose: output.options.verbose });
  const server = await startStaticServer({
    directory: site,
    host,
    port,
    onRequest: (served) => {
      if (output.options.json) output.event({ type: 'served', ...served });
      else log.add(served);
    },
  });
  output.result('serve', { url: server.url, directory: site, host, port: server.port }, () => [`Serving ${site} on ${server.url} (Ctrl-C stops)`]);
  if (!signal.aborted) await once(signal, 'abort');
  log.flush();
  output.note('Stopping ...');
  await server.close();
}

/** Only what is meant for everybody: of a repository its site, never its keys. */
function siteOf(directory: string): string {
  for (const site of [join(directory, 'site'), directory]) if (existsSync(join(site, 'metadata'))) return site;
  throw new MossError('not-found', `${directory} is neither a repository nor a site`, {
    hint: `Make a repository with \`moss repo init ${directory} --name NAME\`.`,
    data: { path: directory },
  });
}
