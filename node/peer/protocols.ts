/** The names of what peers speak. */
export const EXCHANGE = '/moss/exchange/1';
/** Tickets for the bulk carrier. */
export const BULK = '/moss/bulk/1';
