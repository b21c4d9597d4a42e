/** Where bytes came from, in lines for people. */
import type { SourceKind } from '../../core/ports/source.ts';
import type { Change } from '../system/change.ts';
import type { ByteLedger } from '../system/ledger.ts';
import { count, formatBytes } from '../ui/format.ts';

const PEERS: Partial<Record<SourceKind, string>> = { lan: 'on the local network', swarm: 'in the swarm', donor: 'that donate' };

/** Web servers by their names, peers by how far they are. */
export function ledgerLines(ledger: ByteLedger, change: Change): string[] {
  const { delta, here } = ledger.sums(change);
  const lines: string[] = [];
  for (const [kind, sources] of Map.groupBy(ledger.sources, (each) => each.kind)) {
    const where = PEERS[kind];
    if (where === undefined) lines.push(...sources.map(({ source, bytes }) => `  ${formatBytes(bytes)} from ${source}`));
    else lines.push(`  ${formatBytes(sources.reduce((sum, { bytes }) => sum + bytes, 0))} from ${count(sources.length, 'peer')} ${where}`);
  }
  if (delta > 0) lines.push(`  ${formatBytes(delta)} saved by deltas`);
  if (here > 0) lines.push(`  ${formatBytes(here)} of files were here already`);
  return lines;
}
