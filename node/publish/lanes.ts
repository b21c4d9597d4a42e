/**
 * Does some work for each item, in order, two at a time: zstd runs on the threads of libuv, so that each keeps one core
 * busy. More would keep more content in memory.
 */
export async function inTwoLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [i, item] of queue) out[i] = await work(item);
  };
  await Promise.all([lane(), lane()]);
  return out;
}
