/** Starts a host that browsers can reach, stops it, and plays a browser that has not noticed: it goes on asking to be let in. */
import { createSocket } from 'node:dgram';
import { setTimeout } from 'node:timers/promises';
import { nodeClock } from '../../../node/clock.ts';
import { Certificates } from '../../../node/peer/certificates.ts';
import { Host } from '../../../node/peer/host.ts';
import { passingIdentity } from '../../../node/peer/identity.ts';

const certificates = new Certificates(process.argv[2] ?? '');
await certificates.renew(nodeClock.now());
const host = await Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, webRtc: certificates, connections: 8 });
const address = host.addresses.map(String).find((each) => each.includes('/webrtc-direct/'));
const port = Number(/\/udp\/(\d+)\//.exec(address ?? '')?.[1]);
await host.stop();

const browser = createSocket('udp4');
for (let i = 0; i < 20; i++) browser.send(bindingRequest(`host${i}:browser${i}`), port, '127.0.0.1');
// The thread that reads them is another one.
await setTimeout(300);
browser.close();
process.stdout.write('stopped\n');

/** Of STUN (RFC 8489): its header, who is meant and who asks, and a code for the integrity of the message, which only who is meant can check. */
function bindingRequest(user: string): Buffer {
  const name = Buffer.alloc(Math.ceil(user.length / 4) * 4);
  name.write(user);
  const attributes = Buffer.concat([attribute(0x0006, user.length), name, attribute(0x0008, 20), Buffer.alloc(20)]);
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt16BE(attributes.length, 2);
  header.writeUInt32BE(0x2112a442, 4);
  return Buffer.concat([header, attributes]);
}

function attribute(type: number, length: number): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16BE(type, 0);
  start.writeUInt16BE(length, 2);
  return start;
}
