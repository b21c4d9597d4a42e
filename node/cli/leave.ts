/** Milliseconds that what was stopped has for its own end: more than a listener for WebRTC lingers. */
const GRACE = 3000;

/**
 * Ends the process soon, once a verb that served peers is done, where it does not end by itself. libdatachannel 0.24 now and
 * then keeps a connection by WebRTC that was closed just when the other side closed it, too, and with it the process for ever:
 * one stop of a daemon in four, where tabs had been connected (measured).
 */
export function leaveSoon(): void {
  setTimeout(() => process.exit(), GRACE).unref();
}
