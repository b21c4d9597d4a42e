import { existsSync } from 'node:fs';
import { openPeerBook } from '../peer/peer-access.ts';
import type { Direction, Traffic, TrafficKind } from '../peer/peer-book.ts';
import { formatBytes, table } from '../ui/format.ts';
import type { Context } from './context.ts';

const WORDS: Record<TrafficKind, string> = { webseed: 'web servers', lan: 'local network', swarm: 'swarm', donor: 'donors', delta: 'saved by deltas', here: 'already here' };
const KINDS = Object.keys(WORDS) as TrafficKind[];

export async function run({ layout, output }: Context): Promise<void> {
  const traffic = existsSync(layout.peer) ? read(layout) : [];
  const months = [...Map.groupBy(traffic, ({ month }) => month)].map(([month, rows]) => Object.assign(sums(rows), { month }));
  const total = sums(traffic);
  const { bold } = output.style;
  output.result('stats', { total, months }, () => {
    if (traffic.length === 0) return ['Nothing was fetched or served yet.'];
    const kinds = KINDS.filter((kind) => total.received[kind] + total.sent[kind] > 0);
    const row = (name: string, { received, sent }: Sums): string[][] => [
      [bold(name), 'received', ...kinds.map((kind) => formatBytes(received[kind]))],
      ['', 'sent', ...kinds.map((kind) => formatBytes(sent[kind]))],
    ];
    return table([['', '', ...kinds.map((kind) => bold(WORDS[kind]))], ...months.flatMap((each) => row(each.month, each)), ...(months.length > 1 ? row('in all', total) : [])]);
  });
}

function read(layout: Context['layout']): Traffic[] {
  const book = openPeerBook(layout);
  try {
    return book.traffic();
  } finally {
    book.close();
  }
}

type Sums = Record<Direction, Record<TrafficKind, number>>;

function sums(traffic: readonly Traffic[]): Sums {
  const of = (direction: Direction): Record<TrafficKind, number> => {
    const out: Record<TrafficKind, number> = { webseed: 0, lan: 0, swarm: 0, donor: 0, delta: 0, here: 0 };
    for (const each of traffic) if (each.direction === direction) out[each.kind] += each.bytes;
    return out;
  };
  return { received: of('received'), sent: of('sent') };
}
