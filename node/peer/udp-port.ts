import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP port that nobody has: libjuice takes no 0 for any. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0);
    await once(socket, 'listening');
    return socket.address().port;
  } finally {
    socket.close();
  }
}
