/** Milliseconds that what was stopped has for its own end. */
const GRACE = 1000;

/**
 * Ends the process once a verb that served peers is done: as soon as nothing is left to do, and soon where it would not end by
 * itself. libdatachannel 0.24 now and then keeps a connection by WebRTC that was closed just when the other side closed it, too, and
 * with it the process for ever: one stop of a daemon in four, where tabs had been connected (measured). And Node would take down
 * listeners for WebRTC that still linger (`node/peer/webrtc.ts`), if it ended by the usual way.
 */
export function leaveSoon(): void {
  process.once('beforeExit', () => process.exit());
  setTimeout(() => process.exit(), GRACE).unref();
}
