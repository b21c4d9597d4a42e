/** The ports of last time, so that a peer's addresses stay: others remember them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '../store/durable.ts';

export interface Ports {
  port: number;
  bulkPort: number;
  webSocketPort?: number | undefined;
}

/** @returns 0 for each that is not known: any free one */
export function readPorts(directory: string): Ports {
  const file = join(directory, 'ports.json');
  const none = { port: 0, bulkPort: 0 };
  if (!existsSync(file)) return none;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const read = (name: string): number | undefined => {
      const port: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
      return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
    };
    return { port: read('port') ?? 0, bulkPort: read('bulkPort') ?? 0, webSocketPort: read('webSocketPort') };
  } catch {
    return none;
  }
}

export function writePorts(directory: string, ports: Ports): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileDurably(join(directory, 'ports.json'), `${JSON.stringify(ports)}\n`);
}
