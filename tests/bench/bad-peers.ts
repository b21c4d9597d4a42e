/** A process of its own: peers of the local network that harm, found by multicast DNS. `node bad-peers.ts KIND...` */
import { nodeClock } from '../../node/clock.ts';
import { reachOf } from '../../node/peer/address.ts';
import { Host } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import { LanDiscovery } from '../../node/peer/lan-discovery.ts';
import { hostilePeers } from '../core/exchange/hostile-peers.ts';

const handlers = hostilePeers(nodeClock);

for (const kind of process.argv.slice(2)) {
  const handler = handlers[kind];
  const host = await Host.create({ key: passingIdentity(), scope: 'lan', listen: { port: 0, bulkPort: 0 }, connections: 16 });
  if (handler === undefined && kind !== 'dead') throw new Error(`there are no peers that send ${kind}`);
  if (handler !== undefined) await host.handle(handler);
  await host.start();
  const addresses = host.addresses.filter((address) => reachOf(address).scope === 'lan' && !address.toString().includes('/127.'));
  // Who died is still named for a while.
  if (kind === 'dead') await host.stop();
  new LanDiscovery({ addresses: () => addresses.map(String), onFound: () => undefined }).start();
}
process.stdout.write('ready\n');
setInterval(() => undefined, 60_000);
