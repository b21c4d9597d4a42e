/** A process of its own: node's HTTP, serving the files of a directory as a plain server does. `node http-files.ts DIRECTORY [HOST PORT]` */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

const [, , directory = '.', host = '127.0.0.1', port = '0'] = process.argv;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const path = join(directory, normalize(decodeURIComponent(request.url ?? '/')));
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) response.writeHead(404).end();
  else createReadStream(path).pipe(response.writeHead(200, { 'content-length': stat.size }));
});
server.listen(Number(port), host, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : 0}\n`);
});
